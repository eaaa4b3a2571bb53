package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Request is one line of a request file: what to send, and what the answer must be.
type Request struct {
	raw    []byte
	status int
	needle []byte
}

// readRequests reads lines of status, needle and raw request, separated by tabs; line ends inside
// the raw request are written as \r\n in letters.
func readRequests(path string) []Request {
	text, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	var all []Request
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		parts := strings.SplitN(line, "\t", 3)
		status, err := strconv.Atoi(parts[0])
		if err != nil || len(parts) != 3 {
			fail("bad line in " + path + ": " + line)
		}
		raw := strings.ReplaceAll(parts[2], `\r\n`, "\r\n")
		all = append(all, Request{[]byte(raw), status, []byte(parts[1])})
	}
	return all
}

// Client is one keep-alive connection. It does no more of HTTP than the contenders' answers need,
// since the generator shares its core with the database.
type Client struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
	body    []byte
}

var errAnswer = errors.New("wrong answer")
var errStatus = errors.New("wrong status")

// ask sends a request and checks the answer. After an error the connection is a new one.
func (c *Client) ask(request Request, patience time.Duration) error {
	err := c.exchange(request, patience)
	if err != nil && !errors.Is(err, errAnswer) && !errors.Is(err, errStatus) {
		c.close()
	}
	return err
}

func (c *Client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *Client) exchange(request Request, patience time.Duration) error {
	if err := c.send(request.raw, patience, 4096); err != nil {
		return err
	}
	status, length, closes, err := readHead(c.in)
	if err != nil {
		return err
	}
	if c.body, err = readBody(c.in, length, c.body[:0]); err != nil {
		return err
	}
	if closes {
		c.close()
	}
	if status != request.status {
		return errStatus
	}
	if !bytes.Contains(c.body, request.needle) {
		return errAnswer
	}
	return nil
}

func (c *Client) send(raw []byte, patience time.Duration, buffer int) error {
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.address, patience)
		if err != nil {
			return err
		}
		c.conn, c.in = conn, bufio.NewReaderSize(conn, buffer)
	}
	c.conn.SetDeadline(time.Now().Add(patience))
	_, err := c.conn.Write(raw)
	return err
}

const chunked = -1

// readHead reads up to the empty line. Its length is that of the body, or chunked.
func readHead(in *bufio.Reader) (status, length int, closes bool, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return
	}
	if len(line) < 12 {
		return 0, 0, false, errors.New("no status line")
	}
	status, err = strconv.Atoi(string(line[9:12]))
	for err == nil {
		if line, err = in.ReadSlice('\n'); err != nil {
			return
		}
		name, value, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		if !found {
			return
		}
		value = bytes.TrimSpace(value)
		switch strings.ToLower(string(name)) {
		case "content-length":
			length, err = strconv.Atoi(string(value))
		case "transfer-encoding":
			length = chunked
		case "connection":
			closes = bytes.EqualFold(value, []byte("close"))
		}
	}
	return
}

func readBody(in *bufio.Reader, length int, body []byte) ([]byte, error) {
	if length != chunked {
		return readExactly(in, length, body)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return body, err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return body, err
		}
		if body, err = readExactly(in, int(size), body); err != nil {
			return body, err
		}
		if _, err = in.Discard(2); err != nil || size == 0 {
			return body, err
		}
	}
}

func readExactly(in *bufio.Reader, count int, body []byte) ([]byte, error) {
	start := len(body)
	if cap(body) < start+count {
		body = append(make([]byte, 0, 2*(start+count)), body...)
	}
	body = body[:start+count]
	_, err := io.ReadFull(in, body[start:])
	return body, err
}
