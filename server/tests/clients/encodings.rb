# The same by Ruby's packages: reads the availability in both binary encodings, and sends an arrival in each. Arguments: the
# server's address, and a file with the schema's descriptor; answers in JSON.
require "google/protobuf"
require "google/protobuf/descriptor_pb"
require "json"
require "msgpack"
require "net/http"

url, descriptors = ARGV
schema = Google::Protobuf::FileDescriptorSet.decode(File.binread(descriptors))
pool = Google::Protobuf::DescriptorPool.new
schema.file.each { |file| pool.add_serialized_file(Google::Protobuf::FileDescriptorProto.encode(file)) }
message = ->(name) { pool.lookup("skuflow.#{name}").msgclass }

ask = lambda do |type|
  uri = URI("#{url}/api/choreography/inventory/skus/MUG-RED/availability")
  Net::HTTP.get_response(uri, "Accept" => type).body
end
send = lambda do |type, body|
  answer = Net::HTTP.post(URI("#{url}/api/arrivals"), body, "Content-Type" => type)
  { status: answer.code.to_i, body: JSON.parse(answer.body) }
end

one = { "sku" => "MUG-RED", "quantity" => 3, "style" => "both" }
answers = [
  MessagePack.unpack(ask.("application/msgpack")),
  message.("Availability").decode(ask.("application/protobuf")).to_h
]
accepted = [
  send.("application/msgpack", one.to_msgpack),
  send.("application/protobuf", message.("Arrival").encode(message.("Arrival").new(one)))
]
puts JSON.generate(answers: answers, accepted: accepted)
