-- pilot_days --
-- The counts of each side of a pilot day by day, over its schools in session whose need is known; a day without a
-- calendar counts as one in session. Parameters: district, NCES school ids, the side of each, first day, last day.
SELECT
    g.side, d.on_day,
    count(*)::integer AS schools,
    count(*) FILTER (WHERE i.is_in)::integer AS in_session,
    count(*) FILTER (WHERE i.is_in AND d.need IS NULL)::integer AS without_need,
    coalesce(sum(d.need) FILTER (WHERE i.is_in), 0)::integer AS need,
    coalesce(sum(least(d.adequate, d.need)) FILTER (WHERE i.is_counted), 0)::integer AS covered,
    coalesce(sum(d.loaned) FILTER (WHERE i.is_counted), 0)::integer AS loaned,
    coalesce(sum(d.unknown) FILTER (WHERE i.is_counted), 0)::integer AS unknown,
    coalesce(sum(least(d.adequate + d.unknown, d.need)) FILTER (WHERE i.is_counted), 0)::integer AS covered_at_most,
    CASE WHEN bool_and(d.enrolled IS NOT NULL AND d.answered IS NOT NULL) FILTER (WHERE i.is_counted)
         THEN (sum(i.need_at_most) FILTER (WHERE i.is_counted))::integer END AS need_at_most,
    coalesce(sum(least(d.adequate, i.need_at_most)) FILTER (WHERE i.is_counted), 0)::integer AS covered_of_most,
    bool_and(d.is_instructional IS NOT NULL) AS has_calendar
FROM unnest($2::text[], $3::text[]) AS g (ncessch, side)
JOIN schools AS s ON s.district_id = $1 AND s.ncessch = g.ncessch
JOIN school_days AS d ON d.district_id = $1 AND d.school_id = s.school_id
CROSS JOIN LATERAL (
    SELECT
        d.is_instructional IS DISTINCT FROM false AS is_in,
        d.is_instructional IS DISTINCT FROM false AND d.need IS NOT NULL AS is_counted,
        -- a roster that is behind the answers leaves nobody unanswered, not fewer than nobody
        d.need + greatest(0, d.enrolled - d.answered) AS need_at_most
) AS i
WHERE d.on_day BETWEEN $4 AND $5
GROUP BY g.side, d.on_day
ORDER BY g.side, d.on_day;

-- pilot_schools --
-- Each school of a pilot before and during it: its days in session with a known need, and sums over those of them on
-- which enough of its loans were heard from.
-- Parameters: district, NCES school ids, the side of each, first day, last day, the day it starts, completeness floor.
SELECT
    g.side, CASE WHEN d.on_day < $6 THEN 'before' ELSE 'during' END AS period, s.ncessch, s.name,
    count(d.need)::integer AS days,
    count(d.need) FILTER (WHERE d.completeness >= $7)::integer AS days_heard,
    coalesce(sum(d.need) FILTER (WHERE d.completeness >= $7), 0)::integer AS need,
    coalesce(sum(least(d.adequate, d.need)) FILTER (WHERE d.need IS NOT NULL AND d.completeness >= $7), 0)::integer
        AS covered,
    coalesce(array_agg(DISTINCT d.need_source::text) FILTER (WHERE d.need_source IS NOT NULL), '{}') AS need_sources
FROM unnest($2::text[], $3::text[]) AS g (ncessch, side)
JOIN schools AS s ON s.district_id = $1 AND s.ncessch = g.ncessch
JOIN school_days AS d ON d.district_id = $1 AND d.school_id = s.school_id
WHERE d.on_day BETWEEN $4 AND $5 AND d.is_instructional IS DISTINCT FROM false
GROUP BY g.side, period, s.ncessch, s.name
ORDER BY g.side DESC, s.name, s.ncessch, period;

-- known_schools --
-- Which of the schools there are. Parameters: district, NCES school ids.
SELECT ncessch FROM schools WHERE district_id = $1 AND ncessch = ANY ($2::text[]);
