-- Brings the lists of open tasks up to date with one task.
-- KEYS[1] due (task → due)  KEYS[2] owners (members "owner\ndue task", ordered as text)
-- KEYS[3] at (task → its member of owners)
-- ARGV[1] task  ARGV[2] due in milliseconds, "" when it is done  ARGV[3] its member of owners, "" without an owner
local was = redis.call('HGET', KEYS[3], ARGV[1])
if was and was ~= ARGV[3] then
  redis.call('ZREM', KEYS[2], was)
  redis.call('HDEL', KEYS[3], ARGV[1])
end
if ARGV[2] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return 1
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[2], 0, ARGV[3])
  redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
end
return 1
