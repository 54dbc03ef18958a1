-- release_levels --
-- How many schools each shareable release tells at which level; without a figure day a school has none. Parameters:
-- district.
SELECT release_id, level::text AS level, count(*) AS schools
FROM release_schools
WHERE district_id = $1 AND NOT (level = 'exact' AND cells = '{}')
GROUP BY release_id, level
ORDER BY release_id, level;
