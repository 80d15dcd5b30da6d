-- Ends an item in quarantine, leaving a trace of it.
-- KEYS[1] item  ARGV[1] state it must be in  ARGV[2] state it is then in  ARGV[3] trace
-- Returns whether it is ended.
local state = redis.call('HGET', KEYS[1], 'state')
if state == ARGV[1] then
  redis.call('HSET', KEYS[1], 'state', ARGV[2], 'item', ARGV[3])
  redis.call('HDEL', KEYS[1], 'error')
elseif state ~= ARGV[2] then
  return 0
end
return 1
