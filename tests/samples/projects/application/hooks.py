"""What backout must do around this project's chain: backout rehearse --hooks hooks.py."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
from app import context


def before_loading(config):
    config.set_main_option("greeting", "hello")


def before_first(url):
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA outside")


def around_step(revision, direction):
    assert threading.current_thread() is threading.main_thread()
    return context("postgresql://app@db.example/app")


def run_step(run, revision, direction):
    with ThreadPoolExecutor(1, thread_name_prefix=f"{direction} of {revision}") as pool:
        pool.submit(run).result()
