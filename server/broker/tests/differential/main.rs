//! One set of scenarios, asked of RabbitMQ and of this broker.
//!
//! A scenario talks AMQP frame by frame and writes down everything that it is answered: replies, headers,
//! order, counts, error codes and texts. What RabbitMQ answered lies in `expected/`; this broker must answer
//! the same, always. Where `BROKER_TEST_RABBITMQ_URL` names a RabbitMQ, it is asked again and must agree
//! with the file too. With `BROKER_TEST_RECORD=1` its answers become the file.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests are tests too")]

mod client;
mod compare;
mod methods;

mod bindings;
mod channels;
mod codes;
mod connections;
mod consumers;
mod dead_letters;
mod exchanges;
mod fairness;
mod publishing;
mod queues;
mod quorum;
mod transactions;
