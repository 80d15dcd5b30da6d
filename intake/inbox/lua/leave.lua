-- Takes an item out of line; a quarantined one is listed.
-- KEYS[1] due  KEYS[2] arrived  KEYS[3] quarantine  ARGV[1] name  ARGV[2] quarantined at, ms, or ""
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[3], 'NX', ARGV[2], ARGV[1])
else
  redis.call('ZREM', KEYS[3], ARGV[1])
end
return 1
