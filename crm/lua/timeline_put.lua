-- Puts a contact on a timeline; an older version never replaces a newer one.
-- KEYS[1] order (zset: contact → arrival)  KEYS[2] entries (hash: contact → "version record")
-- ARGV[1] contact  ARGV[2] arrival in milliseconds  ARGV[3] version  ARGV[4] record
local old = redis.call('HGET', KEYS[2], ARGV[1])
if old and tonumber(string.match(old, '^(%d+) ')) > tonumber(ARGV[3]) then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3] .. ' ' .. ARGV[4])
return 1
