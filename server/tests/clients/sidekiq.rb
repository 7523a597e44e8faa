# Sidekiq itself at our lists: tells what it reads there, pushes a job, or retries what is dead. Argument: the Redis, and what
# to do; answers in JSON.
require "sidekiq"
require "sidekiq/api"
require "json"

url, deed, *words = ARGV
Sidekiq.configure_client { |config| config.redis = { url: url } }
Sidekiq.logger.level = Logger::ERROR

def told(job)
  {
    class: job.klass, args: job.args, jid: job.jid, queue: job.queue, created_at: job.created_at.to_f,
    retry_count: job["retry_count"], error_message: job["error_message"], error_class: job["error_class"],
    failed_at: job["failed_at"]
  }
end

answer =
  case deed
  when "queues" then Sidekiq::Queue.all.map { |queue| [queue.name, queue.size] }.to_h
  when "queue" then Sidekiq::Queue.new(words[0]).map { |job| told(job) }
  when "retries" then Sidekiq::RetrySet.new.map { |job| told(job).merge(due_at: job.at.to_f) }
  when "dead" then Sidekiq::DeadSet.new.map { |job| told(job) }
  when "retry_dead" then Sidekiq::DeadSet.new.each(&:retry)
  when "push" then Sidekiq::Client.push("class" => words[0], "queue" => words[1], "args" => [JSON.parse(words[2])])
  end
puts JSON.generate(answer: answer.is_a?(Sidekiq::DeadSet) ? nil : answer)
