-- Changes the archive if nobody has since it was read.
-- KEYS[1] releases (hash: number or "policy" → JSON)  KEYS[2] sources (hash: number → text)  KEYS[3] audit trail (stream)
-- ARGV[1] number of the last audit entry as read, 0 for none
-- ARGV[2] number of a new release, or ""  ARGV[3] its text
-- ARGV[4] how many records change, then field and JSON of each; then JSON and chain of each new audit entry
-- Returns 1 when done, 0 when somebody else was first.
local seq = 0
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
if #last > 0 then
  seq = tonumber(string.match(last[1][1], '^(%d+)-'))
end
if seq ~= tonumber(ARGV[1]) then
  return 0
end
if ARGV[2] ~= '' then
  if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 or redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1 then
    return redis.error_reply('release ' .. ARGV[2] .. ' has a text already')
  end
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
end
local i = 5
for _ = 1, tonumber(ARGV[4]) do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  i = i + 2
end
while i < #ARGV do
  seq = seq + 1
  redis.call('XADD', KEYS[3], string.format('%d-0', seq), 'entry', ARGV[i], 'chain', ARGV[i + 1])
  i = i + 2
end
return 1
