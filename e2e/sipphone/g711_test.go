package sipphone

import "testing"

func TestG711KnownValues(t *testing.T) {
	tests := []struct {
		codec  Codec
		code   byte
		sample int16
	}{
		{PCMU, 0xFF, 0},
		{PCMU, 0x7F, 0},
		{PCMU, 0x80, 32124},
		{PCMU, 0x00, -32124},
		{PCMU, 0xFE, 8},
		{PCMU, 0x7E, -8},
		{PCMA, 0xD5, 8},
		{PCMA, 0x55, -8},
		{PCMA, 0xAA, 32256},
		{PCMA, 0x2A, -32256},
		{PCMA, 0xD4, 24},
		{PCMA, 0xC5, 264},
	}
	for _, tt := range tests {
		if got := tt.codec.decode(nil, []byte{tt.code})[0]; got != tt.sample {
			t.Errorf("%v: code %#x is %d, want %d", tt.codec, tt.code, got, tt.sample)
		}
	}
}

// Every code word survives a trip through samples, except µ-law's negative zero.
func TestG711RoundTripOfCodes(t *testing.T) {
	for _, c := range []Codec{PCMU, PCMA} {
		for code := range 256 {
			want := byte(code)
			if c == PCMU && code == 0x7F {
				want = 0xFF
			}
			sample := c.decode(nil, []byte{byte(code)})
			if got := c.encode(nil, sample)[0]; got != want {
				t.Errorf("%v: code %#x became %d and then %#x", c, code, sample[0], got)
			}
		}
	}
}

// The error of every sample stays within half of its segment's step.
func TestG711Error(t *testing.T) {
	for _, c := range []Codec{PCMU, PCMA} {
		for s := -32768; s <= 32767; s++ {
			got := int(c.decode(nil, c.encode(nil, []int16{int16(s)}))[0])
			size := max(s, -s)
			if diff := max(got-s, s-got); diff > max(16, size/16) && size < 32124 {
				t.Fatalf("%v: %d came back as %d", c, s, got)
			}
			if s != 0 && got != 0 && (s < 0) != (got < 0) {
				t.Fatalf("%v: %d came back as %d", c, s, got)
			}
		}
	}
}
