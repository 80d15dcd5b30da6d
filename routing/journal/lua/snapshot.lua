-- Keeps a snapshot under the fence, drops the oldest, and trims the stream.
-- KEYS: 1 stream, 2 epoch, 3 snapshots (hash: seq -> snapshot)
-- ARGV: 1 epoch, 2 seq, 3 snapshot, 4 how many to keep, 5 records to keep
-- Returns 0 done, 1 fenced. Bounded by the snapshots kept, except for the trim.
local mine = tonumber(ARGV[1])
if tonumber(redis.call('GET', KEYS[2]) or '0') > mine then return 1 end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
local seqs = redis.call('HKEYS', KEYS[3])
for i, s in ipairs(seqs) do seqs[i] = tonumber(s) end
table.sort(seqs)
while #seqs > tonumber(ARGV[4]) do
  redis.call('HDEL', KEYS[3], string.format('%d', table.remove(seqs, 1)))
end
local last = 0
local tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if tail[1] then last = tonumber(string.match(tail[1][1], '^%d+')) end
local keep = tonumber(ARGV[5])
if last >= keep then
  redis.call('XTRIM', KEYS[1], 'MINID', string.format('%d-0', math.min(seqs[1] + 1, last - keep + 1)))
end
return 0
