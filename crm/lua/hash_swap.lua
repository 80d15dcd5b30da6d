-- Sets a field if it holds what is expected.
-- KEYS[1] hash
-- ARGV[1] field  ARGV[2] expected, "" for nothing  ARGV[3] new, "" to remove it
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then
  return 0
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
