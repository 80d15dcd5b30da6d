-- Saves a person if nobody changed them since they were read.
-- KEYS[1] person
-- ARGV[1] "changed" the edit began from, "0" for somebody new  ARGV[2] new changed  ARGV[3] person
-- ARGV[4] what the indexes of somebody new are made for
-- Returns 1, or 0 when they were changed.
local at = redis.call('HGET', KEYS[1], 'changed')
if (at or '0') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'person', ARGV[3], 'changed', ARGV[2])
if not at then
  redis.call('HSET', KEYS[1], 'made', ARGV[4])
end
return 1
