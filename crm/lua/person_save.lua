-- Saves a person if nobody changed them since they were read.
-- KEYS[1] person
-- ARGV[1] "changed" the edit began from, or "" to save regardless  ARGV[2] new changed  ARGV[3] person
-- Returns {1, person before or ""} or {0}.
local before = redis.call('HGET', KEYS[1], 'person')
if ARGV[1] ~= '' and (redis.call('HGET', KEYS[1], 'changed') or '0') ~= ARGV[1] then
  return {0}
end
redis.call('HSET', KEYS[1], 'person', ARGV[3], 'changed', ARGV[2])
return {1, before or ''}
