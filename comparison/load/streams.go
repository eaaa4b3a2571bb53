package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Opened is reported at every level, once its streams are open or have failed.
type Opened struct {
	Wanted  int     `json:"wanted"`
	Open    int     `json:"open"`
	Failed  int     `json:"failed"`
	Seconds float64 `json:"seconds"`
}

// Delivered is reported at the end of every level. Latency runs from the moment a message was due to be posted
// to the moment one stream had it.
type Delivered struct {
	Posted      int     `json:"posted"`
	PostsFailed int     `json:"posts_failed"`
	Expected    int64   `json:"expected"`
	Received    int     `json:"received"`
	Latency     Latency `json:"latency"`
}

// audience is the open streams of every room, and what they have received.
type audience struct {
	rooms     []atomic.Int64
	first     int
	lock      sync.Mutex
	latencies []time.Duration
}

func streams(arguments []string) {
	flags := flag.NewFlagSet("streams", flag.ExitOnError)
	address := flags.String("address", "", "host:port of the server")
	counts := flags.String("counts", "1000", "how many streams, level by level")
	rooms := flags.Int("rooms", 100, "over how many rooms")
	first := flags.Int("first-room", 201, "the first of these rooms")
	rate := flags.Float64("rate", 10, "messages posted per second")
	seconds := flags.Float64("seconds", 3, "for how long")
	settle := flags.Duration("settle", time.Second, "quiet time before the first post")
	patience := flags.Duration("timeout", 5*time.Second, "for opening a stream, and for a post")
	flags.Parse(arguments)

	everyone := &audience{rooms: make([]atomic.Int64, *rooms), first: *first}
	for _, text := range strings.Split(*counts, ",") {
		count, err := strconv.Atoi(text)
		if err != nil {
			fail(err)
		}
		report(everyone.open(*address, count, *patience))
		time.Sleep(*settle)
		report(everyone.post(*address, *rate, *seconds, *patience))
	}
}

// size is how many streams are open.
func (a *audience) size() int {
	var open int64
	for room := range a.rooms {
		open += a.rooms[room].Load()
	}
	return int(open)
}

// full is how many streams may fail before the rest are not tried: the server takes no more.
const full = 50

// open adds streams until count are open.
func (a *audience) open(address string, count int, patience time.Duration) Opened {
	// Guessed: a hundred handshakes at a time fill no backlog and keep the server busy.
	gate := make(chan struct{}, 100)
	var waiting sync.WaitGroup
	var failed atomic.Int64
	start := time.Now()
	for i := a.size(); i < count; i++ {
		gate <- struct{}{}
		if failed.Load() > full {
			break
		}
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			client := &Client{address: address}
			room := i % len(a.rooms)
			defer func() { <-gate }()
			if err := client.subscribe(room+a.first, patience); err != nil {
				failed.Add(1)
				client.close()
				return
			}
			a.rooms[room].Add(1)
			go a.listen(client.in)
		}()
	}
	waiting.Wait()
	return Opened{count, a.size(), int(failed.Load()), time.Since(start).Seconds()}
}

func (c *Client) subscribe(room int, patience time.Duration) error {
	raw := fmt.Sprintf("GET /rooms/%d/stream HTTP/1.1\r\nHost: lab\r\nAccept: text/event-stream\r\n\r\n", room)
	if err := c.send([]byte(raw), patience, 512); err != nil {
		return err
	}
	status, _, _, err := readHead(c.in)
	if err == nil && status != 200 {
		return errStatus
	}
	// The first comment says that the subscription stands.
	for line := []byte{}; err == nil && !bytes.HasPrefix(line, []byte(": ok")); {
		line, err = c.in.ReadSlice('\n')
	}
	c.conn.SetDeadline(time.Time{})
	return err
}

// listen notes how old each message is on arrival: its body is "t" and the time it was due.
func (a *audience) listen(in *bufio.Reader) {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		_, rest, found := bytes.Cut(line, []byte(`"body":"t`))
		if !found {
			continue
		}
		digits, _, _ := bytes.Cut(rest, []byte(`"`))
		due, _ := strconv.ParseInt(string(digits), 10, 64)
		age := time.Duration(time.Now().UnixNano() - due)
		a.lock.Lock()
		a.latencies = append(a.latencies, age)
		a.lock.Unlock()
	}
}

func (a *audience) post(address string, rate, seconds float64, patience time.Duration) Delivered {
	var result Delivered
	a.lock.Lock()
	a.latencies = nil
	a.lock.Unlock()
	var waiting sync.WaitGroup
	var failed, expected atomic.Int64
	start := time.Now()
	clients := sync.Pool{New: func() any { return &Client{address: address} }}
	result.Posted = int(rate * seconds)
	for i := range result.Posted {
		due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		time.Sleep(time.Until(due))
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			client := clients.Get().(*Client)
			room := i * 37 % len(a.rooms)
			if err := client.ask(message(room+a.first, due), patience); err != nil {
				failed.Add(1)
			} else {
				expected.Add(a.rooms[room].Load())
			}
			clients.Put(client)
		}()
	}
	waiting.Wait()
	result.PostsFailed, result.Expected = int(failed.Load()), expected.Load()
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		a.lock.Lock()
		result.Received = len(a.latencies)
		a.lock.Unlock()
		if int64(result.Received) >= result.Expected {
			break
		}
	}
	a.lock.Lock()
	defer a.lock.Unlock()
	result.Received, result.Latency = len(a.latencies), latency(a.latencies)
	return result
}

func message(room int, due time.Time) Request {
	body := fmt.Sprintf(`{"user":1001,"body":"t%d"}`, due.UnixNano())
	head := []string{
		fmt.Sprintf("POST /rooms/%d/messages HTTP/1.1", room), "Host: lab",
		"Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body)), "", body,
	}
	return Request{[]byte(strings.Join(head, "\r\n")), 201, []byte(`"id":`)}
}
