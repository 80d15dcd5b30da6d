-- Puts a report on a person's list; an older version never replaces a newer one.
-- KEYS[1] order  KEYS[2] entries (report → "version summary")  KEYS[3] open
-- ARGV[1] report  ARGV[2] created in milliseconds  ARGV[3] version  ARGV[4] summary, "" to take it off
-- ARGV[5] "1" while it is not closed
local old = redis.call('HGET', KEYS[2], ARGV[1])
if old and tonumber(string.match(old, '^(%d+) ')) > tonumber(ARGV[3]) then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3] .. ' ' .. ARGV[4])
if ARGV[4] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  return 1
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if ARGV[5] == '1' then
  redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
else
  redis.call('ZREM', KEYS[3], ARGV[1])
end
return 1
