-- Acknowledges an alert that stands, and forgets the oldest acknowledged ones.
-- KEYS[1] same  KEYS[2] alerts  KEYS[3] seen  KEYS[4] standing  KEYS[5] over (sorted set of ids)  KEYS[6] acks (hash: id → JSON)
-- ARGV[1] id  ARGV[2] what it is about  ARGV[3] JSON of who and when  ARGV[4] how many acknowledged ones are kept
-- Returns 1 when done, 0 when it does not stand.
if redis.call('ZREM', KEYS[4], ARGV[1]) == 0 then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[6], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[5], ARGV[1], ARGV[1])
local old = redis.call('ZRANGE', KEYS[5], 0, -tonumber(ARGV[4]) - 1)
for _, id in ipairs(old) do
  redis.call('ZREM', KEYS[5], id)
  redis.call('HDEL', KEYS[2], id)
  redis.call('HDEL', KEYS[3], id)
  redis.call('HDEL', KEYS[6], id)
end
return 1
