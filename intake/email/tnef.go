package email

import (
	"bytes"
	"encoding/binary"
)

// The attributes of a winmail.dat (MS-OXTNEF) that matter here.
const (
	tnefSignature = 0x223E9F78
	tnefRenddata  = 0x00069002 // begins an attachment
	tnefTitle     = 0x00018010
	tnefData      = 0x0006800F
	tnefBody      = 0x0002800C
)

// tnef takes the files out of a winmail.dat. It reports false when it holds none
// or is none: it is then listed as the file it came as.
func (w *walker) tnef(data []byte) bool {
	if len(data) < 6 || binary.LittleEndian.Uint32(data) != tnefSignature {
		w.note("bad_tnef")
		return false
	}
	w.note("tnef")
	b := data[6:]
	var files []File
	var text string
	for len(b) >= 9 && len(files) <= w.limits.Parts {
		id, size := binary.LittleEndian.Uint32(b[1:]), uint64(binary.LittleEndian.Uint32(b[5:]))
		if size+2 > uint64(len(b)-9) {
			w.note("bad_tnef")
			break
		}
		value := b[9 : 9+size]
		b = b[9+size+2:]
		switch id {
		case tnefRenddata:
			files = append(files, File{})
		case tnefTitle:
			if n := len(files); n > 0 {
				files[n-1].Name = fileName(toText(bytes.TrimRight(value, "\x00"), ""))
			}
		case tnefData:
			if n := len(files); n > 0 {
				files[n-1].Data = value
			}
		case tnefBody:
			text = toText(bytes.TrimRight(value, "\x00"), "")
		}
	}
	if w.text.Len() == 0 && text != "" {
		w.addText(text, false)
	}
	for _, f := range files {
		if len(f.Data) > 0 {
			f.Declared = "application/octet-stream"
			w.file(f)
		}
	}
	return len(w.p.Files) > 0 || text != ""
}
