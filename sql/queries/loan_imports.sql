-- create_import_loans --
-- Where the rows of a loan file wait for their devices and schools.
CREATE TEMP TABLE import_loans (
    row_number      integer NOT NULL,
    device          text NOT NULL,    -- as in the file
    imei            text,             -- what the device may be, by the look of it
    serial          text,
    mdn             text,
    iccids          text[],
    is_whole_imei   boolean NOT NULL, -- came with its check digit, so that it may name a device nobody has seen
    ncessch         text NOT NULL,
    borrower        text NOT NULL,
    household       text NOT NULL,
    checked_out_on  date NOT NULL,
    due_on          date,
    returned_on     date,
    lost_on         date,
    is_lost         boolean NOT NULL,
    of_device       boolean NOT NULL, -- tells that a device is lost or in stock, not of a loan
    kind            text,             -- NULL: not told
    device_id       bigint,
    school_id       bigint,
    reason          text,             -- why the row is refused, or left aside
    other_row       integer,          -- the row it repeats or contradicts
    other_on        date,             -- the days of the known loan that it contradicts
    other_until     date
) ON COMMIT DROP;
-- now, as one that is made after rows were updated cannot be used in the same transaction
CREATE INDEX import_loans_device ON import_loans (device_id);

-- analyze_import_loans --
-- A temporary table has no statistics until it is told to.
ANALYZE import_loans;

-- match_loan_devices --
-- Gives each row its device: by IMEI, by serial, or by the line that the device held at the end of the day of
-- the check-out. Parameters: district, its time zone.
WITH by_line AS (
    SELECT i.row_number, i.checked_out_on, l.line_id
    FROM import_loans AS i
    CROSS JOIN LATERAL unnest(i.iccids) AS form (iccid)
    JOIN lines AS l ON l.district_id = $1 AND l.iccid = form.iccid
    UNION
    SELECT i.row_number, i.checked_out_on, l.line_id
    FROM import_loans AS i JOIN lines AS l ON l.district_id = $1 AND l.mdn = i.mdn
), held AS (
    SELECT DISTINCT ON (b.row_number, b.line_id) b.row_number, k.device_id
    FROM by_line AS b
    JOIN line_device_links AS k ON k.district_id = $1 AND k.line_id = b.line_id
        AND k.starts_at < ((b.checked_out_on + 1)::timestamp AT TIME ZONE $2)
        AND (k.ends_at IS NULL OR k.ends_at > (b.checked_out_on::timestamp AT TIME ZONE $2))
    ORDER BY b.row_number, b.line_id, k.starts_at DESC
), matched AS (
    SELECT row_number, min(device_id) AS device_id, count(DISTINCT device_id) AS devices
    FROM (
        SELECT i.row_number, d.device_id
        FROM import_loans AS i JOIN devices AS d ON d.district_id = $1 AND d.imei = i.imei
        UNION ALL
        SELECT i.row_number, d.device_id
        FROM import_loans AS i JOIN devices AS d ON d.district_id = $1 AND d.serial = i.serial
        UNION ALL
        SELECT row_number, device_id FROM held
    ) AS found
    GROUP BY row_number
)
UPDATE import_loans AS i
SET device_id = m.device_id, reason = CASE WHEN m.devices > 1 THEN 'several_devices' END
FROM matched AS m
WHERE m.row_number = i.row_number;

-- match_lost_loans --
-- What a system tells of a device alone: one that is lost means its open loan, which stays as it is but for that; one
-- in stock is set aside for return_loans_in_stock. Parameters: district.
WITH open AS (
    SELECT DISTINCT ON (i.row_number) i.row_number, l.*
    FROM import_loans AS i
    JOIN loans AS l ON l.district_id = $1 AND l.device_id = i.device_id AND l.returned_on IS NULL
    WHERE i.of_device AND i.is_lost AND i.reason IS NULL
    ORDER BY i.row_number, l.checked_out_on DESC
)
UPDATE import_loans AS i
SET reason = CASE WHEN NOT i.is_lost THEN 'in_stock' WHEN o.loan_id IS NULL THEN 'not_lent' END,
    checked_out_on = coalesce(o.checked_out_on, i.checked_out_on), borrower = coalesce(o.borrower, ''),
    household = coalesce(o.household, ''), due_on = o.due_on, school_id = o.school_id
FROM import_loans AS self LEFT JOIN open AS o USING (row_number)
WHERE self.row_number = i.row_number AND i.of_device AND i.reason IS DISTINCT FROM 'several_devices';

-- match_loan_schools --
-- The school that the row names. Parameters: district.
UPDATE import_loans AS i
SET school_id = s.school_id
FROM schools AS s
WHERE s.district_id = $1 AND s.ncessch = i.ncessch AND NOT i.of_device;

-- match_loan_group_schools --
-- Where the row names no school: the loan's own, if it is known already; else that of the vendor's group which
-- the device's line is in. Parameters: district.
WITH grouped AS (
    SELECT i.row_number, min(g.school_id) AS school_id
    FROM import_loans AS i
    JOIN line_device_links AS k ON k.district_id = $1 AND k.device_id = i.device_id AND k.ends_at IS NULL
    JOIN latest_states AS t ON t.district_id = $1 AND t.line_id = k.line_id
    JOIN provider_groups AS g ON g.district_id = $1 AND g.account_id = t.account_id AND g.group_key = t.group_key
    WHERE i.ncessch = '' AND NOT i.of_device
    GROUP BY i.row_number
    HAVING count(DISTINCT g.school_id) = 1
)
UPDATE import_loans AS i
SET school_id = coalesce(l.school_id, g.school_id)
FROM import_loans AS self
LEFT JOIN loans AS l ON l.district_id = $1 AND l.device_id = self.device_id
    AND l.checked_out_on = self.checked_out_on AND l.borrower = self.borrower
LEFT JOIN grouped AS g USING (row_number)
WHERE self.row_number = i.row_number AND i.ncessch = '' AND NOT i.of_device;

-- refuse_unmatched_loans --
-- Rows whose device or school is not known.
UPDATE import_loans
SET reason = CASE
        WHEN device_id IS NULL AND NOT is_whole_imei THEN 'unknown_device'
        WHEN school_id IS NULL AND ncessch = '' THEN 'no_school'
        ELSE 'unknown_school'
    END
WHERE reason IS NULL AND ((device_id IS NULL AND NOT is_whole_imei) OR school_id IS NULL);

-- create_loan_devices --
-- Devices that nobody has seen yet. Parameters: district.
WITH made AS (
    INSERT INTO devices (district_id, imei)
    SELECT DISTINCT $1::integer, imei FROM import_loans WHERE device_id IS NULL AND reason IS NULL
    RETURNING imei, device_id
)
UPDATE import_loans AS i
SET device_id = m.device_id
FROM made AS m
WHERE m.imei = i.imei AND i.device_id IS NULL AND i.reason IS NULL;

-- refuse_repeated_loans --
-- The same loan again: 'repeat' where it is told the same, 'told_differently' where not.
WITH numbered AS (
    SELECT *, first_value(row_number) OVER (PARTITION BY device_id, checked_out_on, borrower ORDER BY row_number)
        AS first_row
    FROM import_loans
    WHERE reason IS NULL
)
UPDATE import_loans AS i
SET other_row = n.first_row,
    reason = CASE WHEN (n.school_id, n.household, n.due_on, n.returned_on, n.is_lost, n.lost_on, n.kind)
                  IS NOT DISTINCT FROM
                  (f.school_id, f.household, f.due_on, f.returned_on, f.is_lost, f.lost_on, f.kind)
                  THEN 'repeat' ELSE 'told_differently' END
FROM numbered AS n
JOIN import_loans AS f ON f.row_number = n.first_row
WHERE n.row_number = i.row_number AND n.first_row < n.row_number;

-- overlapping_loans --
-- Every loan of the devices that the file lends twice at a time, in the file's order. A loan returned on its
-- first day was never open.
WITH open AS (
    SELECT row_number, device_id, checked_out_on, coalesce(returned_on, 'infinity'::date) AS until_on
    FROM import_loans
    WHERE reason IS NULL AND returned_on IS DISTINCT FROM checked_out_on
), before AS (
    SELECT device_id, checked_out_on, max(until_on) OVER (
        PARTITION BY device_id ORDER BY checked_out_on, row_number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS until_on
    FROM open
)
SELECT row_number, device_id, checked_out_on, until_on
FROM open
WHERE device_id IN (SELECT device_id FROM before WHERE until_on > checked_out_on)
ORDER BY row_number;

-- refuse_overlapping_loans --
-- Parameters: arrays of row and of the row it contradicts.
UPDATE import_loans AS i
SET reason = 'overlaps', other_row = o.other_row
FROM unnest($1::integer[], $2::integer[]) AS o (row_number, other_row)
WHERE o.row_number = i.row_number;

-- refuse_lent_loans --
-- Rows whose device is out on a loan that the database has and the file does not tell of. A full file replaces what
-- its own source told before: such a loan only ends as the new one begins, and is no contradiction. Parameters:
-- district, source, whether the file is full.
WITH lent AS (
    SELECT i.row_number, i.checked_out_on, l.checked_out_on AS other_on, l.returned_on AS other_until, l.source, l.borrower
    FROM import_loans AS i
    JOIN loans AS l ON l.district_id = $1 AND l.device_id = i.device_id
        AND l.checked_out_on < coalesce(i.returned_on, 'infinity')
        AND i.checked_out_on < coalesce(l.returned_on, 'infinity')
        AND (l.checked_out_on, l.borrower) <> (i.checked_out_on, i.borrower)
    WHERE i.reason IS NULL
        AND i.returned_on IS DISTINCT FROM i.checked_out_on AND l.returned_on IS DISTINCT FROM l.checked_out_on
        AND NOT EXISTS (
            SELECT FROM import_loans AS o
            WHERE o.reason IS NULL AND o.device_id = l.device_id AND o.checked_out_on = l.checked_out_on
                AND o.borrower = l.borrower
        )
), first AS (
    SELECT DISTINCT ON (row_number) row_number, other_on, other_until
    FROM lent
    WHERE NOT ($3 AND source = $2 AND other_on <= checked_out_on)
    ORDER BY row_number, other_on
)
UPDATE import_loans AS i
SET reason = CASE WHEN f.other_until IS NULL THEN 'still_lent' ELSE 'was_lent' END,
    other_on = f.other_on, other_until = f.other_until
FROM first AS f
WHERE f.row_number = i.row_number;

-- refused_loans --
-- What was refused and what is there twice, in the file's order.
SELECT row_number, reason, other_row, other_on, other_until, device, ncessch
FROM import_loans
WHERE reason NOT IN ('in_stock', 'not_lent')
ORDER BY row_number;

-- settle_loans --
-- What the file has no column for stays as it is known. A loss without a date is dated by the day it was first told.
-- Parameters: district, day, whether the file tells of households, due dates, losses.
UPDATE import_loans AS i
SET household = CASE WHEN $3 THEN i.household ELSE coalesce(l.household, '') END,
    due_on = CASE WHEN $4 OR i.of_device THEN i.due_on ELSE l.due_on END,
    lost_on = CASE WHEN i.is_lost THEN coalesce(i.lost_on, l.lost_on, $2) WHEN NOT $5 THEN l.lost_on END
FROM import_loans AS self
LEFT JOIN loans AS l ON l.district_id = $1 AND l.device_id = self.device_id
    AND l.checked_out_on = self.checked_out_on AND l.borrower = self.borrower
WHERE self.row_number = i.row_number AND i.reason IS NULL;

-- write_device_kinds --
-- What the file says of the kind of its devices; the last row wins. Returns how many changed and the earliest
-- day of their loans, also of those that the file lacks. Parameters: district.
WITH told AS (
    SELECT DISTINCT ON (device_id) device_id, kind::device_kind AS kind,
           min(checked_out_on) OVER (PARTITION BY device_id) AS first_on
    FROM import_loans
    WHERE reason IS NULL AND kind IS NOT NULL
    ORDER BY device_id, row_number DESC
), written AS (
    UPDATE devices AS d SET kind = t.kind
    FROM told AS t
    WHERE d.district_id = $1 AND d.device_id = t.device_id AND d.kind <> t.kind
    RETURNING least(t.first_on, (
        SELECT min(l.checked_out_on) FROM loans AS l WHERE l.district_id = d.district_id AND l.device_id = d.device_id
    )) AS first_on
)
SELECT count(*) AS changed, min(first_on) AS first_on FROM written;

-- write_loans --
-- Returns how many loans are new (those still out among them), how many changed and in what way, and the earliest day
-- whose states that affects. A loan that no source had told of becomes the source's. Parameters: district, source.
WITH told AS (
    SELECT device_id, school_id, borrower, household, checked_out_on, due_on, returned_on, lost_on
    FROM import_loans WHERE reason IS NULL
), known AS (
    SELECT l.device_id, l.checked_out_on, l.borrower, l.school_id, l.household, l.returned_on, l.lost_on
    FROM loans AS l JOIN told AS t USING (device_id, checked_out_on, borrower)
    WHERE l.district_id = $1
), written AS (
    INSERT INTO loans AS l
        (district_id, device_id, school_id, borrower, household, checked_out_on, due_on, returned_on, lost_on, source)
    SELECT $1, device_id, school_id, borrower, household, checked_out_on, due_on, returned_on, lost_on, $2 FROM told
    ON CONFLICT (district_id, device_id, checked_out_on, borrower) DO UPDATE
    SET school_id = excluded.school_id, household = excluded.household, due_on = excluded.due_on,
        returned_on = excluded.returned_on, lost_on = excluded.lost_on,
        source = coalesce(nullif(l.source, ''), excluded.source)
    WHERE (l.school_id, l.household, l.due_on, l.returned_on, l.lost_on, l.source)
        IS DISTINCT FROM (excluded.school_id, excluded.household, excluded.due_on, excluded.returned_on,
                          excluded.lost_on, coalesce(nullif(l.source, ''), excluded.source))
    RETURNING l.device_id, l.checked_out_on, l.borrower, l.school_id, l.household, l.returned_on, l.lost_on
), compared AS (
    SELECT w.*, k.device_id IS NULL AS is_new, k.school_id AS old_school, k.household AS old_household,
           k.returned_on AS old_returned_on, k.lost_on AS old_lost_on
    FROM written AS w LEFT JOIN known AS k USING (device_id, checked_out_on, borrower)
)
SELECT count(*) FILTER (WHERE is_new) AS added,
       count(*) FILTER (WHERE NOT is_new) AS changed,
       count(*) FILTER (WHERE is_new AND returned_on IS NULL) AS opened,
       count(*) FILTER (WHERE NOT is_new AND old_returned_on IS NULL AND returned_on IS NOT NULL) AS closed,
       count(*) FILTER (WHERE NOT is_new AND old_returned_on IS NOT NULL AND returned_on IS NULL) AS reopened,
       count(*) FILTER (WHERE NOT is_new AND old_school <> school_id) AS moved,
       count(*) FILTER (WHERE old_lost_on IS NULL AND lost_on IS NOT NULL) AS lost,
       count(*) FILTER (
           WHERE NOT is_new AND old_school = school_id AND (old_returned_on IS NULL) = (returned_on IS NULL)
               AND NOT (old_lost_on IS NULL AND lost_on IS NOT NULL)
       ) AS corrected,
       min(CASE
           WHEN (old_school, old_household) IS DISTINCT FROM (school_id, household) THEN checked_out_on
           WHEN old_returned_on IS DISTINCT FROM returned_on THEN least(old_returned_on, returned_on)
       END) AS first_on
FROM compared;

-- analyze_loans --
-- Many loans at once are not in the statistics yet, by which what follows is planned.
ANALYZE loans;

-- return_loans_in_stock --
-- Open loans of devices that their source tells to be in stock. Returns how many, and the earliest day it affects.
-- Parameters: district, source, the day they end.
WITH closed AS (
    UPDATE loans AS l SET returned_on = greatest($3, l.checked_out_on)
    WHERE l.district_id = $1 AND l.source = $2 AND l.returned_on IS NULL
        AND l.device_id IN (SELECT i.device_id FROM import_loans AS i WHERE i.reason = 'in_stock')
        AND NOT EXISTS (
            SELECT FROM import_loans AS i
            WHERE i.reason IS NULL AND i.device_id = l.device_id AND i.checked_out_on = l.checked_out_on
                AND i.borrower = l.borrower
        )
    RETURNING l.returned_on
)
SELECT count(*) AS closed, min(returned_on) AS first_on FROM closed;

-- close_absent_loans --
-- What a full file does not tell of its own source's loans: an open one ends today, or as the device's next loan
-- begins; one that was taken to have ended later than that begins ends then. A lost loan stays open until the device
-- is lent again. Returns how many were closed, how many ended earlier, and the earliest day that it affects.
-- Parameters: district, source, the day they end.
WITH told AS MATERIALIZED (
    SELECT device_id, checked_out_on, borrower FROM import_loans WHERE reason IS NULL
), absent AS MATERIALIZED (
    SELECT l.loan_id, l.device_id, l.checked_out_on, l.returned_on, l.lost_on
    FROM loans AS l
    LEFT JOIN told AS t USING (device_id, checked_out_on, borrower)
    WHERE l.district_id = $1 AND l.source = $2 AND t.device_id IS NULL
        AND l.returned_on IS DISTINCT FROM l.checked_out_on
), followed AS MATERIALIZED (
    -- asked for one by one, by the index: a join would be planned as if few loans were absent
    SELECT a.*, (
        SELECT min(i.checked_out_on) FROM import_loans AS i
        WHERE i.reason IS NULL AND i.device_id = a.device_id AND i.checked_out_on >= a.checked_out_on
            AND i.returned_on IS DISTINCT FROM i.checked_out_on
    ) AS next_on
    FROM absent AS a
), written AS (
    UPDATE loans AS l SET returned_on = greatest(least($3, f.next_on), f.checked_out_on)
    FROM followed AS f
    WHERE l.district_id = $1 AND l.loan_id = f.loan_id
        AND ((f.returned_on IS NULL AND (f.lost_on IS NULL OR f.next_on IS NOT NULL)) OR f.returned_on > f.next_on)
    RETURNING f.returned_on AS old_returned_on, l.returned_on
)
SELECT count(*) FILTER (WHERE old_returned_on IS NULL) AS closed, count(old_returned_on) AS shortened,
       min(returned_on) AS first_on
FROM written;

-- unseen_loans --
-- Open loans of devices that no source has seen. Parameters: district.
SELECT i.row_number, i.device
FROM import_loans AS i
WHERE i.reason IS NULL AND i.returned_on IS NULL
    AND NOT EXISTS (SELECT FROM line_device_links AS k WHERE k.district_id = $1 AND k.device_id = i.device_id)
ORDER BY i.row_number;

-- borrowers_with_several --
-- The file's rows whose borrower has more than one open hotspot, and how many. Parameters: district.
WITH several AS (
    SELECT l.borrower, count(*) AS hotspots
    FROM loans AS l
    JOIN devices AS d ON d.district_id = $1 AND d.device_id = l.device_id
    WHERE l.district_id = $1 AND l.returned_on IS NULL AND l.borrower <> '' AND d.kind = 'hotspot'
    GROUP BY l.borrower
    HAVING count(*) > 1
)
SELECT i.row_number, s.hotspots, dense_rank() OVER (ORDER BY s.borrower) AS borrower_number
FROM import_loans AS i
JOIN several AS s USING (borrower)
JOIN devices AS d ON d.district_id = $1 AND d.device_id = i.device_id AND d.kind = 'hotspot'
WHERE i.reason IS NULL AND i.returned_on IS NULL
ORDER BY i.row_number;
