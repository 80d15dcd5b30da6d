-- Takes a document number off a term's list. A short list is written anew without
-- it; in a long one its place is filled with a neighbour's number, which is
-- harmless there and cheap.
-- KEYS[1] list (string of four-byte numbers, nearly ascending)
-- ARGV[1] number
-- Returns the list's length in bytes.
local key, n = KEYS[1], tonumber(ARGV[1])
local size = redis.call('STRLEN', key)
local needle = struct.pack('>I4', n)
local short, slack = 16384, 16384

local function find(text)
  local at = 1
  while true do
    at = string.find(text, needle, at, true)
    if not at or (at - 1) % 4 == 0 then
      return at
    end
    at = at + 1
  end
end

if size <= short then
  local text = redis.call('GET', key) or ''
  local at = find(text)
  while at do
    text = string.sub(text, 1, at - 1) .. string.sub(text, at + 4)
    at = find(text)
  end
  if #text == 0 then
    redis.call('DEL', key)
  elseif #text < size then
    redis.call('SET', key, text)
  end
  return #text
end

local lo, hi = 0, size / 4 - 1
while lo < hi do
  local mid = math.floor((lo + hi) / 2)
  if struct.unpack('>I4', redis.call('GETRANGE', key, mid * 4, mid * 4 + 3)) < n then
    lo = mid + 1
  else
    hi = mid
  end
end
local from = math.max(0, lo * 4 - slack)
local text = redis.call('GETRANGE', key, from, lo * 4 + slack + 3)
local at = find(text)
while at do
  local pos = from + at - 1
  local beside = pos > 0 and pos - 4 or pos + 4
  local other = redis.call('GETRANGE', key, beside, beside + 3)
  redis.call('SETRANGE', key, pos, other)
  if other == needle then
    break
  end
  text = redis.call('GETRANGE', key, from, lo * 4 + slack + 3)
  at = find(text)
end
return size
