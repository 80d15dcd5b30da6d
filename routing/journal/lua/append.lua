-- Appends records to the journal's stream, once, in order, under a fence.
-- KEYS: 1 stream, 2 epoch, 3 snapshots
-- ARGV: 1 epoch, 2 how many records, then for each: seq, at, kind, event, chain, hash
-- Returns {code, last}: code 0 done, 1 fenced, 2 gap. Bounded by the batch.
local mine = tonumber(ARGV[1])
local current = tonumber(redis.call('GET', KEYS[2]) or '0')
if current > mine then return {1, 0} end
if current < mine then redis.call('SET', KEYS[2], ARGV[1]) end
local last = 0
local tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if tail[1] then last = tonumber(string.match(tail[1][1], '^%d+')) end
local n = tonumber(ARGV[2])
if tonumber(ARGV[3]) > last + 1 then
  -- A record may also follow a kept snapshot, which tells the state before it.
  local before = string.format('%d', tonumber(ARGV[3]) - 1)
  if redis.call('HEXISTS', KEYS[3], before) == 0 then return {2, last} end
end
for i = 0, n - 1 do
  local a = 3 + i * 6
  local seq = tonumber(ARGV[a])
  if seq > last then
    local id, at, kind, event, chain, hash = ARGV[a] .. '-0', ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5]
    if hash == '' then
      redis.call('XADD', KEYS[1], id, 'at', at, 'epoch', ARGV[1], 'kind', kind, 'event', event, 'chain', chain)
    else
      redis.call('XADD', KEYS[1], id, 'at', at, 'epoch', ARGV[1], 'kind', kind, 'event', event, 'chain', chain, 'hash', hash)
    end
    last = seq
  end
end
return {0, last}
