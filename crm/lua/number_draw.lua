-- Draws the next number of a series for a report, once: a repeat gets the same.
-- KEYS[1] counter  KEYS[2] the report's number
-- ARGV[1] seconds for which a repeat is recognised
local mine = redis.call('GET', KEYS[2])
if mine then
  return tonumber(mine)
end
local n = redis.call('INCR', KEYS[1])
redis.call('SET', KEYS[2], n, 'EX', ARGV[1])
return n
