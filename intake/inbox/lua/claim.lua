-- Takes the item that is most due and hides it from others for a while.
-- KEYS[1] due  ARGV[1] now, ms  ARGV[2] hidden until, ms
-- Returns {name, when it was due} or {"", when the next is due, or -1}.
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if #first == 0 then
  return {'', '-1'}
end
if tonumber(first[2]) > tonumber(ARGV[1]) then
  return {'', first[2]}
end
redis.call('ZADD', KEYS[1], 'XX', ARGV[2], first[1])
return first
