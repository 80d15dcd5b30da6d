package prompts

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

func TestWAVRoundTrip(t *testing.T) {
	in := sound{rate: 16000, samples: []int16{0, 1, -1, 32767, -32768}}
	out, err := decodeWAV(encodeWAV(in), false)
	if err != nil || out.rate != in.rate || !slices.Equal(out.samples, in.samples) {
		t.Fatalf("%+v, %v; want %+v", out, err, in)
	}
}

// change copies a good file and spoils one 16-bit or 32-bit field of it.
func change(at int, value uint64, bytesWide int) []byte {
	b := encodeWAV(tone(8000, 440, 1000, 0.1))
	if bytesWide == 2 {
		binary.LittleEndian.PutUint16(b[at:], uint16(value))
	} else {
		binary.LittleEndian.PutUint32(b[at:], uint32(value))
	}
	return b
}

func TestWAVThatCannotBeUsed(t *testing.T) {
	good := encodeWAV(tone(8000, 440, 1000, 0.1))
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":             {nil, "not a WAV file"},
		"MP3":               {[]byte("ID3\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "not a WAV file"},
		"stereo":            {change(22, 2, 2), "2 channels"},
		"8 bits":            {change(34, 8, 2), "8 bits"},
		"24 bits":           {change(34, 24, 2), "24 bits"},
		"a-law":             {change(20, 6, 2), "not PCM"},
		"6 kHz":             {change(24, 6000, 4), "6000 samples a second"},
		"no rate":           {change(24, 0, 4), "0 samples a second"},
		"cut short":         {good[:len(good)-10], "cut short"},
		"length too large":  {change(40, 0xFFFFFFFF, 4), "cut short"},
		"header only":       {good[:12], "holds no sound"},
		"no samples":        {encodeWAV(sound{8000, nil}), "holds no sound"},
		"short format part": {append(slices.Clone(good[:16]), 4, 0, 0, 0, 1, 0, 1, 0), "too short"},
		"data first":        {slices.Concat(good[:12], []byte("data\x02\x00\x00\x00\x01\x00"), good[12:36]), "before it says"},
	} {
		if _, err := decodeWAV(c.file, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestWAVOddities(t *testing.T) {
	good := encodeWAV(sound{8000, []int16{5, 6}})
	// A part of odd length is padded to an even place; editors add such parts.
	extra := slices.Concat(good[:12], []byte("LIST\x03\x00\x00\x00abc\x00"), good[12:])
	// The extensible header that recorders write for plain PCM.
	long := slices.Clone(good[:20])
	binary.LittleEndian.PutUint32(long[16:], 40)
	long = append(long, good[20:36]...)
	binary.LittleEndian.PutUint16(long[20:], formatExtensible)
	long = slices.Concat(long, []byte{22, 0, 16, 0, 4, 0, 0, 0, 1, 0}, make([]byte, 14), good[36:])
	// A program that writes to a pipe does not know the length.
	endless := slices.Clone(good)
	binary.LittleEndian.PutUint32(endless[40:], 0x7FFFF000)
	for name, c := range map[string]struct {
		file     []byte
		streamed bool
	}{"an odd part": {extra, false}, "extensible": {long, false}, "streamed": {endless, true}} {
		s, err := decodeWAV(c.file, c.streamed)
		if err != nil || !slices.Equal(s.samples, []int16{5, 6}) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func FuzzDecodeWAV(f *testing.F) {
	f.Add(encodeWAV(sound{8000, []int16{1, 2, 3}}), true)
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\xff"), false)
	f.Fuzz(func(t *testing.T, b []byte, streamed bool) {
		s, err := decodeWAV(b, streamed)
		if err != nil {
			return
		}
		if s.rate < minRate || s.rate > maxRate || len(s.samples) == 0 || 2*len(s.samples) > len(b) {
			t.Fatalf("%d samples at %d from %d bytes", len(s.samples), s.rate, len(b))
		}
		again, err := decodeWAV(encodeWAV(s), false)
		if err != nil || !slices.Equal(again.samples, s.samples) {
			t.Fatalf("not the same after writing: %v", err)
		}
		if !bytes.Equal(encodeWAV(again), encodeWAV(s)) {
			t.Fatal("written otherwise the second time")
		}
	})
}
