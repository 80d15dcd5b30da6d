-- Records an arrival once: a repeat must not undo what happened since.
-- KEYS[1] contact record
-- ARGV field, value, field, value …
if redis.call('HEXISTS', KEYS[1], 'arrival') == 1 then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV))
redis.call('HINCRBY', KEYS[1], 'v', 1)
return 1
