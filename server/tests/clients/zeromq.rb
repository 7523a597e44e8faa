# A subscriber by Ruby's ffi-rzmq: tells each message of the event that it hears in a JSON line. Argument: the endpoint of PUB.
require "ffi-rzmq"
require "json"

socket = ZMQ::Context.new.socket(ZMQ::SUB)
socket.setsockopt(ZMQ::SUBSCRIBE, "sku_processed")
socket.setsockopt(ZMQ::SUBSCRIBE, "heartbeat")
# Under this name it stands in the picture.
socket.setsockopt(ZMQ::SUBSCRIBE, "name:ruby-reader")
socket.connect(ARGV[0])
loop do
  frames = []
  socket.recv_strings(frames)
  topic, headers, body = frames
  heard = topic == "heartbeat" ? { heartbeat: JSON.parse(headers) } : { topic: topic, headers: JSON.parse(headers), body: JSON.parse(body) }
  $stdout.puts JSON.generate(heard)
  $stdout.flush
end
