-- source_disagreements --
-- For every two accounts of a district: how many lines both have told the bytes of on each of the seven days up to
-- the district's day, and on how many of these their totals differ by more than a part of the larger. The first of
-- the two is the one whose figures are used. Districts with a single account that tells anything are left out before
-- their days are read. Parameters: the districts, and the day of each (NULL: none), the part.
WITH asked AS (
    SELECT q.district_id, q.on_day
    FROM unnest($1::integer[], $2::date[]) AS q (district_id, on_day)
    WHERE 2 <= (
        SELECT count(*)
        FROM accounts AS a
        WHERE a.district_id = q.district_id AND (
            a.collector = 'file'
            OR EXISTS (SELECT FROM latest_states AS s WHERE s.district_id = a.district_id AND s.account_id = a.account_id)
        )
    )
),
weeks AS MATERIALIZED (
    SELECT q.district_id, o.line_id, o.account_id, sum(o.used_bytes) AS used_bytes
    FROM asked AS q
    JOIN line_days AS o ON o.district_id = q.district_id AND o.on_day BETWEEN q.on_day - 6 AND q.on_day
    WHERE o.used_bytes IS NOT NULL
    GROUP BY q.district_id, o.line_id, o.account_id
    HAVING count(*) = 7
)
SELECT
    a.district_id, a.account_key, b.account_key AS other_account_key,
    count(*) AS lines_compared,
    count(*) FILTER (
        WHERE abs(x.used_bytes - y.used_bytes) > $3::double precision * greatest(x.used_bytes, y.used_bytes)
    ) AS lines_disagreeing
FROM weeks AS x
JOIN weeks AS y USING (district_id, line_id)
JOIN accounts AS a ON a.district_id = x.district_id AND a.account_id = x.account_id
JOIN accounts AS b ON b.district_id = y.district_id AND b.account_id = y.account_id
WHERE (a.rank, a.account_id) < (b.rank, b.account_id)
GROUP BY a.district_id, a.rank, a.account_id, a.account_key, b.rank, b.account_id, b.account_key
ORDER BY a.district_id, a.rank, a.account_id, b.rank, b.account_id;
