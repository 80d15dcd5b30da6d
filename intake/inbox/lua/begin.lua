-- Counts an attempt before it is made, so that an item that ends the process counts too.
-- KEYS[1] item
-- Returns {state or "", attempts made before, item, last error}.
local got = redis.call('HMGET', KEYS[1], 'state', 'attempts', 'item', 'error')
if not got[1] then
  return {'', '0', '', ''}
end
if got[1] ~= 'done' and got[1] ~= 'quarantined' then
  redis.call('HINCRBY', KEYS[1], 'attempts', 1)
end
return {got[1], got[2] or '0', got[3], got[4] or ''}
