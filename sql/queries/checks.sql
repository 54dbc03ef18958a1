-- record_doubts --
-- What is missing or doubtful in each district's records, as counts.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT d.district_id, a.school_id
    FROM districts AS d
    CROSS JOIN LATERAL answers_on(d.district_id, (now() AT TIME ZONE d.time_zone)::date) AS a
    WHERE a.is_answered
)
SELECT
    d.district_id,
    d.name,
    (SELECT count(*) FROM schools AS s WHERE s.district_id = d.district_id) AS schools,
    (SELECT count(*)
     FROM schools AS s
     WHERE s.district_id = d.district_id
         AND NOT EXISTS (
             SELECT FROM need_counts AS n WHERE n.district_id = s.district_id AND n.school_id = s.school_id
         )
         AND NOT EXISTS (
             SELECT FROM asked AS a WHERE a.district_id = s.district_id AND a.school_id = s.school_id
         )) AS schools_without_need,
    (SELECT count(*) FROM loans AS l WHERE l.district_id = d.district_id AND l.returned_on IS NULL) AS open_loans,
    (SELECT count(*)
     FROM loans AS l
     WHERE l.district_id = d.district_id AND l.returned_on IS NULL
         AND NOT EXISTS (
             SELECT FROM line_device_links AS k WHERE k.district_id = l.district_id AND k.device_id = l.device_id
         )) AS loans_without_line,
    EXISTS (SELECT FROM calendar_days AS c WHERE c.district_id = d.district_id) AS has_calendar
FROM districts AS d
ORDER BY d.district_id;

-- unmapped_statuses --
-- Status words that no vocabulary knows, the commonest first.
SELECT a.district_id, a.account_key, told.word, told.count
FROM accounts AS a
JOIN (
    SELECT s.district_id, s.account_id, s.raw_status AS word, count(*) AS count
    FROM latest_states AS s
    WHERE s.status = 'unknown' AND s.raw_status IS NOT NULL
    GROUP BY s.district_id, s.account_id, s.raw_status
    UNION ALL
    SELECT o.district_id, o.account_id, o.raw_status, count(*)
    FROM student_devices AS o
    WHERE o.is_in_service IS NULL AND o.raw_status IS NOT NULL
    GROUP BY o.district_id, o.account_id, o.raw_status
) AS told USING (district_id, account_id)
WHERE a.is_in_use
ORDER BY a.district_id, a.account_key, told.count DESC, told.word;
