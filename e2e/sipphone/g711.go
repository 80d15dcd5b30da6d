package sipphone

// Codec is a G.711 companding law, by its static RTP payload type
// (RFC 3551 table 4).
type Codec uint8

// The codecs this phone speaks, both at 8 kHz.
const (
	PCMU Codec = 0
	PCMA Codec = 8
)

// String returns the SDP encoding name.
func (c Codec) String() string {
	switch c {
	case PCMU:
		return "PCMU"
	case PCMA:
		return "PCMA"
	}
	return "unknown"
}

func (c Codec) known() bool { return c == PCMU || c == PCMA }

// silence is the code word of a zero sample.
func (c Codec) silence() byte {
	if c == PCMA {
		return 0xD5
	}
	return 0xFF
}

// encode appends the code words of pcm to dst.
func (c Codec) encode(dst []byte, pcm []int16) []byte {
	if c == PCMA {
		for _, s := range pcm {
			dst = append(dst, encodeALaw(s))
		}
		return dst
	}
	for _, s := range pcm {
		dst = append(dst, encodeULaw(s))
	}
	return dst
}

// decode appends the samples of data to dst.
func (c Codec) decode(dst []int16, data []byte) []int16 {
	if c == PCMA {
		for _, b := range data {
			dst = append(dst, decodeALaw(b))
		}
		return dst
	}
	for _, b := range data {
		dst = append(dst, decodeULaw(b))
	}
	return dst
}

// encodeULaw compresses by ITU-T G.711 table 2 (µ-law): sign, three bits of
// segment, four of step, all inverted, with the customary bias of 132.
func encodeULaw(sample int16) byte {
	const bias, clip = 132, 32635
	s, sign := int(sample), byte(0)
	if s < 0 {
		s, sign = -s, 0x80
	}
	s = min(s, clip) + bias
	segment := byte(7)
	for mask := 0x4000; segment > 0 && s&mask == 0; mask >>= 1 {
		segment--
	}
	return ^(sign | segment<<4 | byte(s>>(segment+3))&0x0F)
}

func decodeULaw(b byte) int16 {
	b = ^b
	s := (int(b&0x0F)<<3+132)<<(b>>4&7) - 132
	if b&0x80 != 0 {
		return int16(-s)
	}
	return int16(s)
}

// encodeALaw compresses by ITU-T G.711 table 1 (A-law): even bits inverted.
func encodeALaw(sample int16) byte {
	s, sign := int(sample)>>3, byte(0x80)
	if s < 0 {
		s, sign = -s-1, 0
	}
	segment := byte(0)
	for s >= 32<<segment && segment < 7 {
		segment++
	}
	step := s >> 1
	if segment > 1 {
		step = s >> segment
	}
	return (sign | segment<<4 | byte(step)&0x0F) ^ 0x55
}

func decodeALaw(b byte) int16 {
	b ^= 0x55
	s, segment := int(b&0x0F)<<4+8, b>>4&7
	if segment > 0 {
		s = (s + 256) << (segment - 1)
	}
	if b&0x80 == 0 {
		return int16(-s)
	}
	return int16(s)
}
