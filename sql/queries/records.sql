-- write_schools --
-- Returns how many schools are new and how many changed.
-- Parameters: district, and as arrays: NCESSCH, name, whether high-needs, basis.
WITH told AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::boolean[], $5::text[])
        AS t (ncessch, name, is_high_needs, high_needs_basis)
), known AS (
    SELECT ncessch FROM schools WHERE district_id = $1
), written AS (
    INSERT INTO schools AS s (district_id, ncessch, name, is_high_needs, high_needs_basis)
    SELECT $1, ncessch, name, is_high_needs, high_needs_basis FROM told
    ON CONFLICT (district_id, ncessch) DO UPDATE
    SET name = excluded.name, is_high_needs = excluded.is_high_needs, high_needs_basis = excluded.high_needs_basis
    WHERE (s.name, s.is_high_needs, s.high_needs_basis)
        IS DISTINCT FROM (excluded.name, excluded.is_high_needs, excluded.high_needs_basis)
    RETURNING ncessch
)
SELECT count(*) FILTER (WHERE k.ncessch IS NULL) AS added, count(k.ncessch) AS changed
FROM written AS w LEFT JOIN known AS k USING (ncessch);

-- school_ids --
-- Parameters: district.
SELECT ncessch, school_id FROM schools WHERE district_id = $1;

-- write_need_counts --
-- Returns how many counts are new, how many changed, and the earliest day of either.
-- Parameters: district, and as arrays: school, date, enrolled, answered, need.
WITH told AS (
    SELECT * FROM unnest($2::bigint[], $3::date[], $4::integer[], $5::integer[], $6::integer[])
        AS t (school_id, as_of_on, enrolled, answered, need)
), known AS (
    SELECT school_id, as_of_on FROM need_counts WHERE district_id = $1
), written AS (
    INSERT INTO need_counts AS n (district_id, school_id, as_of_on, enrolled, answered, need)
    SELECT $1, school_id, as_of_on, enrolled, answered, need FROM told
    ON CONFLICT (district_id, school_id, as_of_on) DO UPDATE
    SET enrolled = excluded.enrolled, answered = excluded.answered, need = excluded.need
    WHERE (n.enrolled, n.answered, n.need) IS DISTINCT FROM (excluded.enrolled, excluded.answered, excluded.need)
    RETURNING school_id, as_of_on
)
SELECT count(*) FILTER (WHERE k.school_id IS NULL) AS added, count(k.school_id) AS changed,
       min(w.as_of_on) AS first_on
FROM written AS w LEFT JOIN known AS k USING (school_id, as_of_on);

-- write_calendar_days --
-- Replaces the district's days from the first to the last given one. Returns how many days are new, changed and
-- gone, and the earliest of them. Parameters: district, and as arrays: day, kind.
WITH told AS (
    SELECT * FROM unnest($2::date[], $3::day_kind[]) AS t (on_day, kind)
), known AS (
    SELECT c.on_day FROM calendar_days AS c
    WHERE c.district_id = $1
), removed AS (
    DELETE FROM calendar_days AS c
    WHERE c.district_id = $1 AND c.on_day BETWEEN $4 AND $5
        AND NOT EXISTS (SELECT FROM told AS t WHERE t.on_day = c.on_day)
    RETURNING c.on_day
), written AS (
    INSERT INTO calendar_days AS c (district_id, on_day, kind)
    SELECT $1, on_day, kind FROM told
    ON CONFLICT (district_id, on_day) DO UPDATE SET kind = excluded.kind WHERE c.kind <> excluded.kind
    RETURNING c.on_day
)
SELECT count(w.on_day) FILTER (WHERE k.on_day IS NULL) AS added,
       count(w.on_day) FILTER (WHERE k.on_day IS NOT NULL) AS changed,
       count(r.on_day) AS removed,
       least(min(w.on_day), min(r.on_day)) AS first_on
FROM written AS w
FULL JOIN removed AS r USING (on_day)
LEFT JOIN known AS k ON k.on_day = w.on_day;

-- write_school_calendar_days --
-- Where schools differ from the district. What is no longer told goes: of every school within the district's
-- part of the file, and of each named school from its first to its last day. Returns as write_calendar_days.
-- Parameters: district, arrays of school, day and kind; the district's first and last day (NULL: the file has
-- none); arrays of the named schools, their first and their last days.
WITH told AS (
    SELECT * FROM unnest($2::bigint[], $3::date[], $4::day_kind[]) AS t (school_id, on_day, kind)
), named AS (
    SELECT * FROM unnest($7::bigint[], $8::date[], $9::date[]) AS n (school_id, first_on, last_on)
), known AS (
    SELECT school_id, on_day FROM school_calendar_days WHERE district_id = $1
), removed AS (
    DELETE FROM school_calendar_days AS c
    WHERE c.district_id = $1
        AND (c.on_day BETWEEN $5::date AND $6::date
             OR EXISTS (SELECT FROM named AS n
                        WHERE n.school_id = c.school_id AND c.on_day BETWEEN n.first_on AND n.last_on))
        AND NOT EXISTS (SELECT FROM told AS t WHERE t.school_id = c.school_id AND t.on_day = c.on_day)
    RETURNING c.school_id, c.on_day
), written AS (
    INSERT INTO school_calendar_days AS c (district_id, school_id, on_day, kind)
    SELECT $1, school_id, on_day, kind FROM told
    ON CONFLICT (district_id, school_id, on_day) DO UPDATE SET kind = excluded.kind WHERE c.kind <> excluded.kind
    RETURNING c.school_id, c.on_day
)
SELECT count(w.on_day) FILTER (WHERE k.on_day IS NULL) AS added,
       count(w.on_day) FILTER (WHERE k.on_day IS NOT NULL) AS changed,
       count(r.on_day) AS removed,
       least(min(w.on_day), min(r.on_day)) AS first_on
FROM written AS w
FULL JOIN removed AS r USING (school_id, on_day)
LEFT JOIN known AS k ON k.school_id = w.school_id AND k.on_day = w.on_day;

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
    kind            text,             -- NULL: not told
    device_id       bigint,
    school_id       bigint,
    reason          text,             -- why the row is refused
    other_row       integer           -- the row it repeats or contradicts
) ON COMMIT DROP;

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

-- match_loan_schools --
-- The school that the row names. Parameters: district.
UPDATE import_loans AS i
SET school_id = s.school_id
FROM schools AS s
WHERE s.district_id = $1 AND s.ncessch = i.ncessch;

-- match_loan_group_schools --
-- Where the row names no school: the loan's own, if it is known already; else that of the vendor's group which
-- the device's line is in. Parameters: district.
WITH grouped AS (
    SELECT i.row_number, min(g.school_id) AS school_id
    FROM import_loans AS i
    JOIN line_device_links AS k ON k.district_id = $1 AND k.device_id = i.device_id AND k.ends_at IS NULL
    JOIN latest_states AS t ON t.district_id = $1 AND t.line_id = k.line_id
    JOIN provider_groups AS g ON g.district_id = $1 AND g.account_id = t.account_id AND g.group_key = t.group_key
    WHERE i.ncessch = ''
    GROUP BY i.row_number
    HAVING count(DISTINCT g.school_id) = 1
)
UPDATE import_loans AS i
SET school_id = coalesce(l.school_id, g.school_id)
FROM import_loans AS self
LEFT JOIN loans AS l ON l.district_id = $1 AND l.device_id = self.device_id
    AND l.checked_out_on = self.checked_out_on AND l.borrower = self.borrower
LEFT JOIN grouped AS g USING (row_number)
WHERE self.row_number = i.row_number AND i.ncessch = '';

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
    reason = CASE WHEN (n.school_id, n.household, n.due_on, n.returned_on, n.kind)
                  IS NOT DISTINCT FROM (f.school_id, f.household, f.due_on, f.returned_on, f.kind)
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

-- refused_loans --
-- What was refused and what is there twice, in the file's order.
SELECT row_number, reason, other_row, device, ncessch FROM import_loans WHERE reason IS NOT NULL ORDER BY row_number;

-- write_device_kinds --
-- What the file says of the kind of its devices; the last row wins. Returns how many changed and the earliest
-- day of their loans. Parameters: district.
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
    RETURNING t.first_on
)
SELECT count(*) AS changed, min(first_on) AS first_on FROM written;

-- write_loans --
-- Returns how many loans are new, how many changed, and the earliest day whose states that affects.
-- Parameters: district.
WITH told AS (
    SELECT device_id, school_id, borrower, household, checked_out_on, due_on, returned_on
    FROM import_loans WHERE reason IS NULL
), known AS (
    SELECT l.device_id, l.checked_out_on, l.borrower, l.school_id, l.household, l.returned_on
    FROM loans AS l JOIN told AS t USING (device_id, checked_out_on, borrower)
    WHERE l.district_id = $1
), written AS (
    INSERT INTO loans AS l
        (district_id, device_id, school_id, borrower, household, checked_out_on, due_on, returned_on)
    SELECT $1, device_id, school_id, borrower, household, checked_out_on, due_on, returned_on FROM told
    ON CONFLICT (district_id, device_id, checked_out_on, borrower) DO UPDATE
    SET school_id = excluded.school_id, household = excluded.household, due_on = excluded.due_on,
        returned_on = excluded.returned_on
    WHERE (l.school_id, l.household, l.due_on, l.returned_on)
        IS DISTINCT FROM (excluded.school_id, excluded.household, excluded.due_on, excluded.returned_on)
    RETURNING l.device_id, l.checked_out_on, l.borrower, l.school_id, l.household, l.returned_on
)
SELECT count(*) FILTER (WHERE k.device_id IS NULL) AS added,
       count(k.device_id) AS changed,
       min(CASE
           WHEN (k.school_id, k.household) IS DISTINCT FROM (w.school_id, w.household) THEN w.checked_out_on
           WHEN k.returned_on IS DISTINCT FROM w.returned_on THEN least(k.returned_on, w.returned_on)
       END) AS first_on
FROM written AS w LEFT JOIN known AS k USING (device_id, checked_out_on, borrower);

-- close_absent_loans --
-- Open loans that a full file does not tell of. Returns how many, and the earliest day that it affects.
-- Parameters: district, the day they end.
WITH closed AS (
    UPDATE loans AS l SET returned_on = greatest($2, l.checked_out_on)
    WHERE l.district_id = $1 AND l.returned_on IS NULL
        AND NOT EXISTS (
            SELECT FROM import_loans AS i
            WHERE i.device_id = l.device_id AND i.checked_out_on = l.checked_out_on AND i.borrower = l.borrower
        )
    RETURNING l.returned_on
)
SELECT count(*) AS closed, min(returned_on) AS first_on FROM closed;

-- doubtful_loans --
-- Open loans of devices that no source has seen ('unseen'), or that have another open loan which the file does
-- not tell of ('lent_twice'). Parameters: district.
SELECT i.row_number, i.device, 'unseen' AS doubt
FROM import_loans AS i
WHERE i.reason IS NULL AND i.returned_on IS NULL
    AND NOT EXISTS (SELECT FROM line_device_links AS k WHERE k.district_id = $1 AND k.device_id = i.device_id)
UNION ALL
SELECT i.row_number, i.device, 'lent_twice'
FROM import_loans AS i
WHERE i.reason IS NULL AND i.returned_on IS NULL
    AND EXISTS (
        SELECT FROM loans AS l
        WHERE l.district_id = $1 AND l.device_id = i.device_id AND l.returned_on IS NULL
            AND (l.checked_out_on, l.borrower) <> (i.checked_out_on, i.borrower)
    )
ORDER BY row_number;
