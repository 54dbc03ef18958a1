-- alert_groups --
-- Alerts that are open, counted by rule and school: district $1, only of rule $2 or NULL, only of school $3 (its NCES id
-- or ours) or NULL, in states $4, at instant $5.
SELECT a.rule,
       s.ncessch,
       s.name AS school,
       (ARRAY['info', 'warning', 'high', 'critical'])[
           max(array_position(ARRAY['info', 'warning', 'high', 'critical'], a.severity))
       ] AS severity,
       count(*) FILTER (WHERE a.state = 'firing') AS firing,
       count(*) FILTER (WHERE a.state = 'held') AS held,
       count(*) FILTER (WHERE a.state = 'pending') AS pending,
       count(*) FILTER (WHERE a.acknowledged_at IS NOT NULL) AS acknowledged,
       count(*) FILTER (WHERE a.snoozed_until_at > $5) AS snoozed,
       count(*) FILTER (WHERE NOT a.is_judged) AS unjudged,
       min(a.breached_since_at) AS since_at
FROM alerts AS a
LEFT JOIN schools AS s USING (district_id, school_id)
WHERE a.district_id = $1
  AND a.state <> 'clear'
  AND a.state = ANY($4::alert_state[])
  AND ($2::text IS NULL OR a.rule = $2)
  AND ($3::text IS NULL OR s.ncessch = $3 OR a.school_id::text = $3)
GROUP BY a.rule, a.school_id, s.ncessch, s.name
ORDER BY a.rule, s.name NULLS LAST, a.school_id;

-- alert_page --
-- A page of a rule's open alerts, the most severe first, then the oldest: district $1, rule $2, only of school $3 (its
-- NCES id or ours) or NULL, in states $4, $5 of them after the first $6.
SELECT a.alert_id,
       a.subject,
       s.name AS school,
       a.state,
       a.severity,
       a.is_judged,
       a.breached_since_at,
       a.value,
       a.acknowledged_at,
       a.snoozed_until_at
FROM alerts AS a
LEFT JOIN schools AS s USING (district_id, school_id)
WHERE a.district_id = $1
  AND a.rule = $2
  AND a.state <> 'clear'
  AND a.state = ANY($4::alert_state[])
  AND ($3::text IS NULL OR s.ncessch = $3 OR a.school_id::text = $3)
ORDER BY array_position(ARRAY['critical', 'high', 'warning', 'info'], a.severity), a.breached_since_at, a.alert_id
LIMIT $5 OFFSET $6;

-- alerts_resolved --
-- How often alerts were resolved, by rule and school, the latest first: district $1, only of rule $2 or NULL, only of
-- school $3 (its NCES id or ours) or NULL, since instant $4.
SELECT a.rule, s.ncessch, s.name AS school, count(*) AS times, max(f.created_at) AS last_at
FROM flips AS f
JOIN alerts AS a USING (district_id, alert_id)
LEFT JOIN schools AS s USING (district_id, school_id)
WHERE f.district_id = $1
  AND f.kind = 'cleared'
  AND f.created_at >= $4
  AND ($2::text IS NULL OR a.rule = $2)
  AND ($3::text IS NULL OR s.ncessch = $3 OR a.school_id::text = $3)
GROUP BY a.rule, a.school_id, s.ncessch, s.name
ORDER BY last_at DESC, a.rule, s.name;
