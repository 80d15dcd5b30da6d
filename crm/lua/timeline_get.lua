-- Reads a timeline, newest first.
-- KEYS[1] order  KEYS[2] entries
-- ARGV[1] highest arrival (a ZREVRANGEBYSCORE bound)  ARGV[2] at most this many
local ids = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[1], '-inf', 'LIMIT', 0, ARGV[2])
if #ids == 0 then
  return {}
end
return redis.call('HMGET', KEYS[2], unpack(ids))
