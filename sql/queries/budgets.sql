-- reserve_slot --
-- Reserves the next slot of a credential, for whichever process; returns the seconds until it. The server's clock is
-- the one clock that all processes share. Parameters: fingerprint, seconds between slots.
INSERT INTO credential_budgets AS b (fingerprint, next_slot_at)
VALUES ($1, clock_timestamp() + $2::interval)
ON CONFLICT (fingerprint) DO UPDATE
SET next_slot_at = greatest(b.next_slot_at, clock_timestamp()) + $2::interval
RETURNING extract(epoch FROM next_slot_at - $2::interval - clock_timestamp())::double precision;

-- hold_off --
-- No slot for a while: the vendor asked for it. Parameters: fingerprint, for how long.
INSERT INTO credential_budgets AS b (fingerprint, next_slot_at, quiet_until)
VALUES ($1, clock_timestamp() + $2::interval, clock_timestamp() + $2::interval)
ON CONFLICT (fingerprint) DO UPDATE
SET next_slot_at = greatest(b.next_slot_at, excluded.next_slot_at),
    quiet_until = greatest(b.quiet_until, excluded.quiet_until);

-- is_quiet --
-- Whether the vendor's quiet goes on: a slot within it was reserved before. Parameters: fingerprint.
SELECT quiet_until > clock_timestamp() FROM credential_budgets WHERE fingerprint = $1;

-- take_credential --
-- Takes a credential that only one request at a time may use; no row while another holds it.
-- Parameters: fingerprint, holder, for how long at most.
INSERT INTO credential_budgets AS b (fingerprint, next_slot_at, holder, holder_expires_at)
VALUES ($1, clock_timestamp(), $2, clock_timestamp() + $3::interval)
ON CONFLICT (fingerprint) DO UPDATE
SET holder = excluded.holder, holder_expires_at = excluded.holder_expires_at
WHERE b.holder IS NULL OR b.holder_expires_at < clock_timestamp()
RETURNING true;

-- free_credential --
-- Parameters: fingerprint, holder.
UPDATE credential_budgets SET holder = NULL, holder_expires_at = NULL WHERE fingerprint = $1 AND holder = $2;
