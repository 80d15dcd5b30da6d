-- Records that a person was found to be another, neither of whom may be merged
-- into anybody already.
-- KEYS[1] into (person → whom)  KEYS[2] order  KEYS[3] by (person → "order merge")
-- ARGV[1] from  ARGV[2] into  ARGV[3] merge
-- Returns 1, also when it was recorded before; 0 when one of them is merged.
local was = redis.call('HGET', KEYS[1], ARGV[1])
if was == ARGV[2] then
  return 1
end
if was or redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1 then
  return 0
end
local order = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[1], string.format('%d', order) .. ' ' .. ARGV[3])
redis.call('HSET', KEYS[3], ':' .. ARGV[2], (redis.call('HGET', KEYS[3], ':' .. ARGV[2]) or '') .. ARGV[1] .. ' ')
return 1
