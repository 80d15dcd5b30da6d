-- Keeps an alert: a new one stands until it is acknowledged; one that stands
-- already counts once more and says what the newest said.
-- KEYS[1] number of the newest  KEYS[2] same (hash: what it is about → id)  KEYS[3] alerts (hash: id → JSON)
-- KEYS[4] seen (hash: id → "first last count")  KEYS[5] standing (sorted set of ids)
-- ARGV[1] what it is about  ARGV[2] JSON  ARGV[3] instant
-- Returns {id, times it was raised}.
local id = redis.call('HGET', KEYS[2], ARGV[1])
if not id then
  id = tostring(redis.call('INCR', KEYS[1]))
  redis.call('HSET', KEYS[2], ARGV[1], id)
  redis.call('ZADD', KEYS[5], id, id)
end
local first, count = ARGV[3], 0
local seen = redis.call('HGET', KEYS[4], id)
if seen then
  local f, _, n = string.match(seen, '^(%d+) (%d+) (%d+)$')
  first, count = f, tonumber(n)
end
redis.call('HSET', KEYS[3], id, ARGV[2])
redis.call('HSET', KEYS[4], id, string.format('%s %s %d', first, ARGV[3], count + 1))
return {id, count + 1}
