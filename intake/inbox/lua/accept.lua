-- Keeps an item unless one with its key was kept before.
-- KEYS[1] item  ARGV[1] item  ARGV[2] state
-- Returns {1} or {0, the item kept before}.
local before = redis.call('HGET', KEYS[1], 'item')
if before then
  return {0, before}
end
redis.call('HSET', KEYS[1], 'item', ARGV[1], 'state', ARGV[2], 'attempts', 0)
return {1}
