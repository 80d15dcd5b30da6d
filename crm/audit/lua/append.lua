-- Appends entries if the chain still ends where they begin.
-- KEYS[1] entries (stream)  KEYS[2] head (hash: seq, hash)  KEYS[3…] two lists for each entry: its object's, its actor's
-- ARGV[1] hash the chain must end with, "" when empty
-- ARGV[2…] for each entry: seq, body, hash
-- Returns {1} when appended, now or by an earlier try; else {0, seq, hash} of the end.
local head = redis.call('HMGET', KEYS[2], 'seq', 'hash')
local seq, hash = head[1] or '0', head[2] or ''
if hash ~= ARGV[1] then
  local there = redis.call('XRANGE', KEYS[1], ARGV[2] .. '-0', ARGV[2] .. '-0')
  if there[1] and there[1][2][4] == ARGV[4] then
    return {1}
  end
  return {0, seq, hash}
end
local n = (#ARGV - 1) / 3
for i = 1, n do
  local at = 3 * i - 1
  redis.call('XADD', KEYS[1], ARGV[at] .. '-0', 'e', ARGV[at + 1], 'h', ARGV[at + 2])
  redis.call('RPUSH', KEYS[2 * i + 1], ARGV[at])
  redis.call('RPUSH', KEYS[2 * i + 2], ARGV[at])
end
redis.call('HSET', KEYS[2], 'seq', ARGV[#ARGV - 2], 'hash', ARGV[#ARGV])
return {1}
