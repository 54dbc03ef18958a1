-- title: An alert rule cannot be evaluated
-- title_es: No se puede evaluar una regla de avisos
-- about: service
-- severity: high
-- owner: it
-- why: What this rule watches over, nobody is told of until it works again.
-- why_es: Nadie recibe aviso de lo que esta regla vigila hasta que vuelva a funcionar.
-- action: Try the rule by hand with afterbell rules dry-run, which shows the error. Correct the file if it is the district's own; else tell us.
-- action_es: Pruebe la regla con afterbell rules dry-run, que muestra el error. Si el archivo es del distrito, corríjalo; si no, avísenos.
-- fires_after: 30 minutes
-- urgency: now
-- reminder: 7 days
-- dated: no
SELECT
    'rule:' || r.rule AS subject,
    NULL::bigint AS school_id,
    r.failing_since_at AS since_at,
    NULL::double precision AS value,
    jsonb_build_object('rule', r.rule) AS details,
    true AS is_breached
FROM rule_runs AS r
-- a rule that is evaluated no more fails no more
WHERE r.district_id = $1::integer AND r.failing_since_at <= $3::timestamptz
    AND r.evaluated_at > $3::timestamptz - interval '1 day'
