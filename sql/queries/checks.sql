-- record_doubts --
-- What is missing or doubtful in each district's records, as counts.
SELECT
    d.district_id,
    d.name,
    (SELECT count(*) FROM schools AS s WHERE s.district_id = d.district_id) AS schools,
    (SELECT count(*)
     FROM schools AS s
     WHERE s.district_id = d.district_id
         AND NOT EXISTS (
             SELECT FROM need_counts AS n WHERE n.district_id = s.district_id AND n.school_id = s.school_id
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
