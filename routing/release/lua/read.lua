-- Reads the archive as it is at one moment.
-- KEYS[1] releases  KEYS[2] audit trail
-- Returns {releases, the last audit entry or nothing}.
return {redis.call('HGETALL', KEYS[1]), redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)}
