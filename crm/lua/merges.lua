-- Reads whom a person is merged into and everybody merged into them, directly or
-- through others.
-- KEYS[1] into  KEYS[2] order  KEYS[3] by
-- ARGV[1] person
-- Returns {whom or "", "order merge" …}
local out = {redis.call('HGET', KEYS[1], ARGV[1]) or ''}
local open = {ARGV[1]}
while #open > 0 do
  local person = table.remove(open)
  for id in string.gmatch(redis.call('HGET', KEYS[3], ':' .. person) or '', '%S+') do
    local merge = redis.call('HGET', KEYS[3], id)
    if merge then -- else they were erased
      out[#out + 1] = merge
      open[#open + 1] = id
    end
  end
end
return out
