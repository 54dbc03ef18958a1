-- follow_unopposed_claims --
-- Where nobody says any more what is in force, what was claimed first comes into force, at this instant; the day is
-- marked. Parameters: district, instant.
WITH unopposed AS (
    SELECT DISTINCT ON (c.line_id) c.line_id, c.device_id, c.other_device_id
    FROM conflicts AS c
    JOIN line_claims AS claim
        ON claim.district_id = $1 AND claim.line_id = c.line_id AND claim.account_id = c.account_id
        AND claim.device_id = c.other_device_id AND claim.is_listed
    WHERE c.district_id = $1 AND c.kind = 'line_device' AND c.settled_at IS NULL
        AND NOT EXISTS (
            SELECT FROM line_claims AS other
            WHERE other.district_id = $1 AND other.line_id = c.line_id AND other.device_id = c.device_id
                AND other.is_listed
        )
    ORDER BY c.line_id, c.opened_at, c.conflict_id
),
closed AS (
    UPDATE line_device_links AS k
    SET ends_at = $2
    FROM unopposed AS u
    WHERE k.district_id = $1 AND k.line_id = u.line_id AND k.device_id = u.device_id AND k.ends_at IS NULL
        AND k.starts_at < $2
    RETURNING k.line_id, u.other_device_id
),
opened AS (
    INSERT INTO line_device_links (district_id, line_id, device_id, starts_at)
    SELECT $1, line_id, other_device_id, $2 FROM closed
)
INSERT INTO dirty_loan_days (district_id, on_day)
SELECT DISTINCT d.district_id, ($2::timestamptz AT TIME ZONE d.time_zone)::date
FROM closed
JOIN districts AS d ON d.district_id = $1
ON CONFLICT (district_id, on_day) DO UPDATE SET on_day = excluded.on_day;

-- settle_agreed_lines --
-- Conflicts about a line's device that are none any more: either side says otherwise by now, or is not heard of any
-- more, or the line is elsewhere. An account whose batch is at hand is heard of, though its lines are not stored yet.
-- Parameters: district, account (NULL: none is at hand), instant.
UPDATE conflicts AS c
SET settled_at = $3, settled_as = 'agreed'
WHERE c.district_id = $1 AND c.kind = 'line_device' AND c.settled_at IS NULL AND NOT (
    c.device_id <> c.other_device_id
    AND EXISTS (
        SELECT FROM line_device_links AS k
        WHERE k.district_id = $1 AND k.line_id = c.line_id AND k.device_id = c.device_id AND k.ends_at IS NULL
    )
    AND EXISTS (
        SELECT FROM line_claims AS claim
        WHERE claim.district_id = $1 AND claim.line_id = c.line_id AND claim.account_id = c.account_id
            AND claim.device_id = c.other_device_id AND (claim.is_listed OR claim.account_id = $2)
    )
    AND EXISTS (
        SELECT FROM line_claims AS claim
        WHERE claim.district_id = $1 AND claim.line_id = c.line_id AND claim.account_id = c.against_account_id
            AND claim.device_id = c.device_id AND (claim.is_listed OR claim.account_id = $2)
    )
);

-- settle_agreed_serials --
-- Conflicts about a serial number that are none any more: the account has told of the line anew, and of another
-- serial number or none that is doubtful; or it is out of use. Parameters: district, account, instant.
UPDATE conflicts AS c
SET settled_at = $3, settled_as = 'agreed'
WHERE c.district_id = $1 AND c.kind = 'serial' AND c.settled_at IS NULL AND (
    c.device_id = c.other_device_id
    OR NOT EXISTS (
        SELECT FROM accounts AS a WHERE a.district_id = $1 AND a.account_id = c.account_id AND a.is_in_use
    )
    OR (c.account_id = $2 AND EXISTS (
        SELECT FROM sighted AS s
        WHERE s.line_id = c.line_id
            AND (s.serial IS NOT NULL
                 OR (s.serial_holder_id, s.device_id) IS DISTINCT FROM (c.device_id, c.other_device_id)
                    AND s.serial_holder_id IS NOT NULL)
    ))
);

-- raise_line_conflicts --
-- For each line of the batch: who says that it is in another device than the one in force, against whoever says that
-- one. What a person has decided between these two is not raised again. Everything is looked up line by line, and so by
-- its index. Parameters: district, account, instant.
WITH contradicted AS MATERIALIZED (
    SELECT DISTINCT ON (claim.line_id, claim.device_id, claim.account_id)
        claim.line_id, k.device_id, claim.device_id AS other_device_id, claim.account_id,
        against.account_id AS against_account_id
    FROM sighted AS s
    CROSS JOIN LATERAL (
        SELECT l.device_id FROM line_device_links AS l
        WHERE l.district_id = $1 AND l.line_id = s.line_id AND l.ends_at IS NULL
        LIMIT 1
    ) AS k
    CROSS JOIN LATERAL (
        SELECT c.line_id, c.device_id, c.account_id FROM line_claims AS c
        WHERE c.district_id = $1 AND c.line_id = s.line_id AND (c.is_listed OR c.account_id = $2)
        OFFSET 0
    ) AS claim
    CROSS JOIN LATERAL (
        SELECT c.account_id, c.rank FROM line_claims AS c
        WHERE c.district_id = $1 AND c.line_id = s.line_id AND c.device_id = k.device_id
            AND c.account_id <> claim.account_id AND (c.is_listed OR c.account_id = $2)
        OFFSET 0
    ) AS against
    WHERE claim.device_id <> k.device_id
    ORDER BY claim.line_id, claim.device_id, claim.account_id, against.rank, against.account_id
),
past AS MATERIALIZED (
    SELECT n.line_id, n.other_device_id, n.account_id, c.conflict_id, c.settled_at IS NULL AS is_open
    FROM contradicted AS n
    CROSS JOIN LATERAL (
        SELECT * FROM conflicts AS of_line WHERE of_line.district_id = $1 AND of_line.line_id = n.line_id OFFSET 0
    ) AS c
    WHERE c.kind = 'line_device' AND (
        c.settled_at IS NULL AND c.other_device_id = n.other_device_id AND c.account_id = n.account_id
        OR c.settled_as IN ('kept', 'taken')
            AND (c.device_id, c.other_device_id)
                IN ((n.device_id, n.other_device_id), (n.other_device_id, n.device_id))
            AND (c.account_id, c.against_account_id)
                IN ((n.account_id, n.against_account_id), (n.against_account_id, n.account_id))
    )
),
known AS (
    UPDATE conflicts AS c
    SET claimed_at = $3
    FROM past AS p
    WHERE c.district_id = $1 AND c.conflict_id = p.conflict_id AND p.is_open
)
INSERT INTO conflicts (
    district_id, kind, line_id, device_id, other_device_id, account_id, against_account_id, opened_at, claimed_at
)
SELECT
    $1, 'line_device', n.line_id, n.device_id, n.other_device_id, n.account_id, n.against_account_id, $3, $3
FROM contradicted AS n
WHERE (n.line_id, n.other_device_id, n.account_id) NOT IN (
    SELECT p.line_id, p.other_device_id, p.account_id FROM past AS p
)
ORDER BY n.line_id, n.account_id;

-- raise_serial_conflicts --
-- For each serial number of the batch that was left out: which device has it, and which is said to.
-- Parameters: district, account, instant.
WITH claimed AS (
    SELECT DISTINCT ON (serial_holder_id, device_id) line_id, serial_holder_id, device_id
    FROM sighted
    WHERE serial_holder_id <> device_id
    ORDER BY serial_holder_id, device_id, line_id
),
known AS (
    UPDATE conflicts AS c
    SET claimed_at = $3
    FROM claimed AS n
    WHERE c.district_id = $1 AND c.kind = 'serial' AND c.settled_at IS NULL AND c.account_id = $2
        AND c.device_id = n.serial_holder_id AND c.other_device_id = n.device_id
)
INSERT INTO conflicts (
    district_id, kind, line_id, device_id, other_device_id, account_id, against_account_id, opened_at, claimed_at
)
SELECT
    $1, 'serial', n.line_id, n.serial_holder_id, n.device_id, $2,
    (SELECT k.account_id
     FROM provider_keys AS k
     JOIN accounts AS a USING (district_id, account_id)
     WHERE k.district_id = $1 AND k.device_id = n.serial_holder_id AND a.is_in_use
     ORDER BY k.account_id = $2, a.rank, k.account_id
     LIMIT 1),
    $3, $3
FROM claimed AS n
WHERE NOT EXISTS (
    SELECT FROM conflicts AS c
    WHERE c.district_id = $1 AND c.kind = 'serial'
        AND (
            c.settled_at IS NULL AND c.account_id = $2
            OR c.settled_as IN ('kept', 'taken') AND $2 IN (c.account_id, c.against_account_id)
        )
        AND (c.device_id, c.other_device_id)
            IN ((n.serial_holder_id, n.device_id), (n.device_id, n.serial_holder_id))
)
ORDER BY n.line_id;

-- open_conflict_counts --
-- Every district's open conflicts.
SELECT district_id, count(*) AS open FROM conflicts WHERE settled_at IS NULL GROUP BY district_id;

-- open_conflicts --
-- The oldest open conflicts of each district, by ids and accounts only. Parameters: how many of each district.
SELECT
    c.district_id, c.conflict_id, c.kind::text AS kind, c.line_id, c.device_id, c.other_device_id,
    a.account_key, o.account_key AS against_account_key, c.opened_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY district_id ORDER BY opened_at, conflict_id) AS place
    FROM conflicts
    WHERE settled_at IS NULL
) AS c
JOIN accounts AS a USING (district_id, account_id)
LEFT JOIN accounts AS o ON o.district_id = c.district_id AND o.account_id = c.against_account_id
WHERE c.place <= $1
ORDER BY c.district_id, c.place;

-- open_conflicts_told --
-- Open conflicts with what names their lines and devices: for the terminal alone. Parameters: district (NULL: all).
SELECT
    c.district_id, c.conflict_id, c.kind::text AS kind, c.line_id, c.device_id, c.other_device_id,
    a.account_key, o.account_key AS against_account_key, c.opened_at,
    l.iccid, l.mdn, d.imei, d.serial, x.imei AS other_imei, x.serial AS other_serial, z.time_zone
FROM conflicts AS c
JOIN accounts AS a USING (district_id, account_id)
JOIN districts AS z USING (district_id)
JOIN lines AS l USING (district_id, line_id)
JOIN devices AS d USING (district_id, device_id)
JOIN devices AS x ON x.district_id = c.district_id AND x.device_id = c.other_device_id
LEFT JOIN accounts AS o ON o.district_id = c.district_id AND o.account_id = c.against_account_id
WHERE c.settled_at IS NULL AND ($1::integer IS NULL OR c.district_id = $1)
ORDER BY c.district_id, c.opened_at, c.conflict_id;

-- district_of_conflict --
-- Parameters: conflict, district (NULL: whichever it is in).
SELECT district_id FROM conflicts WHERE conflict_id = $1 AND ($2::integer IS NULL OR district_id = $2);

-- open_conflict --
-- What is to be decided, and the serial number in force; none where it is settled. Parameters: district, conflict.
SELECT c.kind::text AS kind, d.serial
FROM conflicts AS c
JOIN devices AS d USING (district_id, device_id)
WHERE c.district_id = $1 AND c.conflict_id = $2 AND c.settled_at IS NULL;

-- settle_conflict --
-- Parameters: district, conflict, instant, how.
UPDATE conflicts SET settled_at = $3, settled_as = $4::text::conflict_settlement
WHERE district_id = $1 AND conflict_id = $2;

-- take_claimed_device --
-- The line is in the claimed device from this instant on; the day is marked. Parameters: district, conflict, instant.
WITH closed AS (
    UPDATE line_device_links AS k
    SET ends_at = $3
    FROM conflicts AS c
    WHERE c.district_id = $1 AND c.conflict_id = $2
        AND k.district_id = $1 AND k.line_id = c.line_id AND k.device_id = c.device_id AND k.ends_at IS NULL
        AND k.starts_at < $3
    RETURNING k.line_id, c.other_device_id
),
opened AS (
    INSERT INTO line_device_links (district_id, line_id, device_id, starts_at)
    SELECT $1, line_id, other_device_id, $3 FROM closed
)
INSERT INTO dirty_loan_days (district_id, on_day)
SELECT d.district_id, ($3::timestamptz AT TIME ZONE d.time_zone)::date
FROM closed
JOIN districts AS d ON d.district_id = $1
ON CONFLICT (district_id, on_day) DO UPDATE SET on_day = excluded.on_day;

-- take_serial_away --
-- Parameters: district, conflict.
UPDATE devices AS d SET serial = NULL
FROM conflicts AS c
WHERE c.district_id = $1 AND c.conflict_id = $2 AND d.district_id = $1 AND d.device_id = c.device_id;

-- give_claimed_serial --
-- Parameters: district, conflict, serial number.
UPDATE devices AS d SET serial = $3
FROM conflicts AS c
WHERE c.district_id = $1 AND c.conflict_id = $2 AND d.district_id = $1 AND d.device_id = c.other_device_id;
