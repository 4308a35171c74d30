#!/usr/bin/env escript
%%! +S 1:1
%% The BEAM's part of ../process.ts: takes jobs, one a line, and answers with what each cost. A job is written as an Erlang
%% term, which JSON's lists of strings and numbers are. One scheduler, as JavaScript has one thread.
-mode(compile).
-export([init/1, handle_call/3, handle_cast/2, start_child/1]).

main(_) ->
    case io:get_line("") of
        eof ->
            ok;
        Line ->
            {ok, Tokens, _} = erl_scan:string(Line ++ "."),
            {ok, [Name, Units]} = erl_parse:parse_term(Tokens),
            answer(list_to_atom(Name), Units),
            main([])
    end.

%% In a process of its own, since that begins with a small heap.
answer(Name, Units) ->
    Self = self(),
    spawn_link(fun() -> Self ! {cost, measure(Name, Units)} end),
    receive
        {cost, {Cpu, Seconds, Bytes}} ->
            io:format("{\"cpu\":~p,\"seconds\":~p,\"rss\":~p,\"heap\":~p}~n", [Cpu, Seconds, Bytes, Bytes])
    end.

measure(Name, Units) ->
    Ready = prepare(Name, Units),
    Memory = erlang:memory(total),
    {CpuBefore, _} = erlang:statistics(runtime),
    Start = erlang:monotonic_time(microsecond),
    Kept = run(Name, Units, Ready),
    Seconds = (erlang:monotonic_time(microsecond) - Start) / 1.0e6,
    {CpuAfter, _} = erlang:statistics(runtime),
    Bytes = erlang:memory(total) - Memory,
    case Kept of
        {living, Pids} -> stop_all(Pids);
        _ -> ok
    end,
    {(CpuAfter - CpuBefore) * 1000, Seconds, Bytes}.

prepare(monitor, Units) -> spawn_all(Units, []);
prepare(backlog, _) -> fill(self(), 100000, noise);
prepare(numbers, _) -> fill(self(), 100000, noise);
prepare(info, Units) -> spawn_all(Units, []);
prepare(turns, _) -> spawn(fun answering/0);
prepare(call, _) -> spawn(fun serving/0);
prepare(server, _) ->
    {ok, Pid} = gen_server:start(?MODULE, server, []),
    Pid;
prepare(restart, _) ->
    logger:set_primary_config(level, none),
    {ok, Pid} = supervisor:start_link(?MODULE, {supervisor, self()}),
    Pid;
prepare(_, _) -> none.

%% Each returns at once; the last one says so, since one scheduler runs them in their order.
run(spawn, Units, _) ->
    Self = self(),
    spawn_each(Units - 1, fun() -> ok end),
    spawn(fun() -> Self ! last end),
    receive last -> ok end;

%% All of them live at the same time, wait for a message, and return with it.
run(live, Units, _) ->
    Pids = spawn_all(Units, []),
    stop_all(Pids),
    Self = self(),
    spawn(fun() -> Self ! last end),
    receive last -> ok end;

run(monitor, _, Pids) ->
    Refs = [erlang:monitor(process, Pid) || Pid <- Pids],
    stop_all(Pids),
    lists:foreach(fun(Ref) -> receive {'DOWN', Ref, process, _, normal} -> ok end end, Refs);

run(backlog, Units, _) ->
    take_tagged(Units);

run(numbers, Units, _) ->
    take_numbered(Units);

run(turns, Units, Pid) ->
    take_turns(Units, Pid),
    exit(Pid, kill);

run(call, Units, Pid) ->
    call_each(Units, Pid),
    exit(Pid, kill);

run(server, Units, Pid) ->
    call_each(Units, Pid),
    gen_server:stop(Pid);

run(restart, Units, Pid) ->
    restart_each(Units),
    receive {started, _} -> ok end,
    gen_server:stop(Pid);

run(info, _, Pids) ->
    lists:foreach(fun(Pid) -> {status, waiting} = lists:keyfind(status, 1, process_info(Pid)) end, Pids),
    stop_all(Pids);

run(idle, Units, _) ->
    {living, spawn_all(Units, [])}.

spawn_each(0, _) -> ok;
spawn_each(Units, Body) ->
    spawn(Body),
    spawn_each(Units - 1, Body).

spawn_all(0, Pids) -> lists:reverse(Pids);
spawn_all(Units, Pids) -> spawn_all(Units - 1, [spawn(fun() -> receive stop -> ok end end) | Pids]).

stop_all(Pids) -> lists:foreach(fun(Pid) -> Pid ! stop end, Pids).

fill(_, 0, _) -> ok;
fill(Pid, Units, Tag) ->
    Pid ! {Tag, Units},
    fill(Pid, Units - 1, Tag).

take_tagged(0) -> ok;
take_tagged(Units) ->
    self() ! {wanted, Units},
    receive {wanted, _} -> take_tagged(Units - 1) end.

take_numbered(0) -> ok;
take_numbered(Units) ->
    self() ! {wanted, Units},
    receive {wanted, Units} -> take_numbered(Units - 1) end.

answering() ->
    receive {ask, To} -> To ! answer end,
    answering().

take_turns(0, _) -> ok;
take_turns(Units, Pid) ->
    Pid ! {ask, self()},
    receive answer -> take_turns(Units - 1, Pid) end.

%% The loop of a gen_server without what it does beside a reply.
serving() ->
    receive {'$gen_call', From, get} -> gen_server:reply(From, 1) end,
    serving().

call_each(0, _) -> ok;
call_each(Units, Pid) ->
    1 = gen_server:call(Pid, get),
    call_each(Units - 1, Pid).

%% A server, and a supervisor with one child that tells of its start, and crashes when it is told to.
init(server) -> {ok, 1};
init({supervisor, Told}) ->
    Flags = #{strategy => one_for_one, intensity => 1000000, period => 1},
    {ok, {Flags, [#{id => child, start => {?MODULE, start_child, [Told]}}]}}.

handle_call(get, _From, State) -> {reply, State, State}.

handle_cast(_, State) -> {noreply, State}.

start_child(Told) ->
    {ok, spawn_link(fun() ->
        Told ! {started, self()},
        receive stop -> exit(crash) end
    end)}.

restart_each(0) -> ok;
restart_each(Units) ->
    receive {started, Pid} -> Pid ! stop end,
    restart_each(Units - 1).
