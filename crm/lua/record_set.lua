-- Sets fields of a contact record and raises its version.
-- KEYS[1] contact record
-- ARGV field, value, field, value …
redis.call('HSET', KEYS[1], unpack(ARGV))
return redis.call('HINCRBY', KEYS[1], 'v', 1)
