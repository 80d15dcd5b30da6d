package prompts

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// sound is mono audio in 16-bit samples.
type sound struct {
	rate    int
	samples []int16
}

const (
	headerSize = 44
	formatPCM  = 1
	// formatExtensible wraps another format in a longer header; the first two
	// bytes of its sub-format GUID are the format itself.
	formatExtensible = 0xFFFE
	minRate          = 8000
	maxRate          = 192000
)

// decodeWAV reads a RIFF WAVE file of mono 16-bit PCM. The error says which of
// these it is not. With streamed, the data may be shorter than its header says,
// as a program writing to a pipe cannot go back and fill the length in.
func decodeWAV(b []byte, streamed bool) (sound, error) {
	if len(b) < 12 || !bytes.Equal(b[:4], []byte("RIFF")) || !bytes.Equal(b[8:12], []byte("WAVE")) {
		return sound{}, errors.New("it is not a WAV file")
	}
	var s sound
	rest := b[12:]
	for len(rest) >= 8 {
		id, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:8]))
		rest = rest[8:]
		if id == "data" && size > int64(len(rest)) && streamed {
			size = int64(len(rest))
		}
		if size > int64(len(rest)) {
			return sound{}, fmt.Errorf("it is cut short: its %q part should have %d bytes and has %d", id, size, len(rest))
		}
		body := rest[:size]
		switch id {
		case "fmt ":
			rate, err := decodeFormat(body)
			if err != nil {
				return sound{}, err
			}
			s.rate = rate
		case "data":
			if s.rate == 0 {
				return sound{}, errors.New("it has sound before it says in what format")
			}
			s.samples = make([]int16, len(body)/2)
			for i := range s.samples {
				s.samples[i] = int16(binary.LittleEndian.Uint16(body[2*i:]))
			}
			if len(s.samples) == 0 {
				return sound{}, errors.New("it holds no sound")
			}
			return s, nil
		}
		// Parts begin at even places.
		rest = rest[min(size+size%2, int64(len(rest))):]
	}
	return sound{}, errors.New("it holds no sound")
}

func decodeFormat(b []byte) (rate int, err error) {
	if len(b) < 16 {
		return 0, errors.New("its format part is too short")
	}
	format := binary.LittleEndian.Uint16(b)
	if format == formatExtensible && len(b) >= 26 {
		format = binary.LittleEndian.Uint16(b[24:])
	}
	channels, rate32, bits := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint16(b[14:])
	switch {
	case format != formatPCM:
		return 0, fmt.Errorf("it is not PCM (its format code is %d): save it as 16-bit PCM WAV", format)
	case channels != 1:
		return 0, fmt.Errorf("it has %d channels: save it as mono", channels)
	case bits != 16:
		return 0, fmt.Errorf("it has %d bits a sample: save it with 16", bits)
	case rate32 < minRate || rate32 > maxRate:
		return 0, fmt.Errorf("it has %d samples a second: save it with %d to %d", rate32, minRate, maxRate)
	}
	return int(rate32), nil
}

// encodeWAV writes the plain 44-byte header that Asterisk's format_wav reads.
func encodeWAV(s sound) []byte {
	size := uint32(2 * len(s.samples))
	b := make([]byte, 0, headerSize+int(size))
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, headerSize-8+size)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, formatPCM)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, uint32(s.rate))
	b = le.AppendUint32(b, uint32(2*s.rate))
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = le.AppendUint32(b, size)
	for _, v := range s.samples {
		b = le.AppendUint16(b, uint16(v))
	}
	return b
}
