# Several processes that do wishlist's job in its place, supervised by ServerEngine: who is killed is started again. Arguments: the
# broker's address, and a folder for what was done. Tells each worker's process in a JSON line.
require "bunny"
require "json"
require "serverengine"

BROKER, FOLDER = ARGV
QUEUE = "wishlist.update_wishlists"

module Wishlist
  def initialize
    @stop = ServerEngine::BlockingFlag.new
  end

  def run
    connection = Bunny.new(BROKER, connection_name: "wishlist in Ruby").start
    channel = connection.create_channel
    channel.prefetch(4)
    # It is there: who declares it anew would have to know its arguments.
    queue = channel.queue(QUEUE, passive: true)
    queue.subscribe(manual_ack: true) do |delivery, properties, body|
      handle(properties.message_id, JSON.parse(body))
      channel.ack(delivery.delivery_tag)
    end
    $stdout.puts JSON.generate(worker: worker_id, pid: Process.pid)
    $stdout.flush
    @stop.wait_for_set(1) until @stop.set?
    connection.close
  end

  def stop
    @stop.set!
  end

  private

  # The file is effect and inbox in one: it appears whole, and a message that comes twice finds it.
  def handle(message_id, command)
    done = File.join(FOLDER, message_id)
    if File.exist?(done)
      File.open(File.join(FOLDER, "again.log"), "a") { |log| log.puts(message_id) }
      return
    end
    unfinished = "#{done}.#{Process.pid}.tmp"
    File.write(unfinished, JSON.generate(command))
    sleep 0.02
    File.rename(unfinished, done)
  end
end

# What they say is for whoever started it, and not for a log.
ServerEngine.create(nil, Wishlist, worker_type: "process", workers: 3, log: File::NULL, log_stdout: false).run
