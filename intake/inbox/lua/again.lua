-- Takes an item in quarantine as if it had just been accepted.
-- KEYS[1] item  ARGV[1] state it must be in  ARGV[2] state it is then in
-- Returns the item, or "" when it is in neither. Being in the second already counts:
-- an earlier call was broken off before the item stood in line.
local state = redis.call('HGET', KEYS[1], 'state')
if state == ARGV[1] then
  redis.call('HSET', KEYS[1], 'state', ARGV[2], 'attempts', 0)
elseif state ~= ARGV[2] then
  return ''
end
return redis.call('HGET', KEYS[1], 'item')
