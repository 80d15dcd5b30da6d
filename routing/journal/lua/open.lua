-- Takes the journal over: raises the epoch and tells the last record.
-- KEYS: 1 stream, 2 epoch
-- The epoch is raised above the last record's too, so that it still rises when
-- the epoch key was lost.
-- Returns {epoch, last}.
local last, floor = 0, 0
local tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if tail[1] then
  last = tonumber(string.match(tail[1][1], '^%d+'))
  for i = 1, #tail[1][2], 2 do
    if tail[1][2][i] == 'epoch' then floor = tonumber(tail[1][2][i + 1]) end
  end
end
local current = tonumber(redis.call('GET', KEYS[2]) or '0')
local epoch = math.max(current, floor) + 1
redis.call('SET', KEYS[2], string.format('%d', epoch))
return {epoch, last}
