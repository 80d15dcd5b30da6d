package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
)

// photograph draws a window with a broken pane, 640 by 480.
func photograph() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			c := color.RGBA{uint8(120 + y/8), uint8(90 + y/10), 70, 255} // the wall
			if x > 140 && x < 500 && y > 60 && y < 420 {
				c = color.RGBA{uint8(120 + x/8), uint8(160 + y/8), 225, 255} // glass
				dx, dy := x-410, y-160
				if (x+200)%180 < 12 || y > 234 && y < 246 {
					c = color.RGBA{245, 245, 240, 255} // frame
				} else if r := dx*dx + dy*dy; r < 2200+((dx*7+dy*13)%1500) {
					c = color.RGBA{25, 25, 35, 255} // the hole
				} else if r < 9000 && (dx*dy)%23 == 0 {
					c = color.RGBA{250, 250, 255, 255} // cracks
				}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func photographPNG() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, photograph()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func photographJPEG() []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, photograph(), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}
