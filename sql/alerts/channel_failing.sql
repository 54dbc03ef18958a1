-- title: A channel does not take messages
-- title_es: Un canal no acepta mensajes
-- about: service
-- severity: high
-- owner: it
-- why: Whoever is told by this channel alone hears of nothing.
-- why_es: Quien recibe avisos solo por este canal no se entera de nada.
-- action: Try it with afterbell notify --test, which says what the receiver answered, and correct its address or secret.
-- action_es: Pruébelo con afterbell notify --test, que dice qué contestó el receptor, y corrija su dirección o su secreto.
-- fires_after: 30 minutes
-- urgency: now
-- reminder: 1 day
-- dated: no
SELECT
    'channel:' || c.channel_key AS subject,
    NULL::bigint AS school_id,
    c.failing_since_at AS since_at,
    NULL::double precision AS value,
    jsonb_build_object('channel', c.channel_key, 'is_refused', c.is_refused) AS details,
    true AS is_breached
FROM channels AS c
WHERE c.district_id = $1::integer AND c.is_in_use AND c.failing_since_at <= $3::timestamptz
