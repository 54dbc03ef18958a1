-- equity_schools --
-- Every school with what equity is made of on its district's day; coverage is NULL where it is not known, or no student
-- is in need. Parameters: the districts, and the day of each (NULL: none).
SELECT
    s.district_id, s.ncessch, s.name, s.is_high_needs, s.high_needs_basis,
    s.indicator::text AS indicator, s.indicator_value, s.indicator_year,
    d.enrolled, d.need, coalesce(d.loaned, 0) AS loaned, coalesce(d.adequate, 0) AS adequate,
    coalesce(d.unknown, 0) AS unknown, d.coverage,
    (
        SELECT w.requests FROM waitlist_counts AS w
        WHERE w.district_id = s.district_id AND w.school_id = s.school_id AND w.as_of_on <= q.on_day
        ORDER BY w.as_of_on DESC LIMIT 1
    ) AS waitlist
FROM unnest($1::integer[], $2::date[]) AS q (district_id, on_day)
JOIN schools AS s USING (district_id)
LEFT JOIN school_days AS d USING (district_id, on_day, school_id)
ORDER BY s.district_id, s.ncessch;

-- first_and_last_figures --
-- The first and the last day that has figures. Parameters: district.
SELECT min(on_day) AS first_on, max(on_day) AS last_on FROM school_days WHERE district_id = $1;
