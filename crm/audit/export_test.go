package audit

// Sum, Decode and Encode are what the chain is made of.
var (
	Sum    = sum
	Decode = decode
	Encode = encode
)
