// A sweep under Nextflow: one task per shard, then the tables.
//
//   nextflow run examples/sweep/main.nf --plan sweeps/demo.yaml --out runs/demo --shards 4
//
// An example that the tests do not run. The folder is shared, so tasks write to it and not to Nextflow's work folder. A task that is run
// again computes only what is not done.
params.plan = 'sweeps/demo.yaml'
params.out = 'runs/demo'
params.shards = 2
params.gradpath = './gradpath'

process shard {
    errorStrategy 'retry'
    maxRetries 3

    input:
    val i

    output:
    val i

    script:
    """
    ${file(params.gradpath)} sweep ${file(params.plan)} --out ${file(params.out)} --shard ${i}/${params.shards} --threads ${task.cpus}
    """
}

process merge {
    input:
    val shards

    output:
    stdout

    script:
    """
    ${file(params.gradpath)} sweep merge ${file(params.out)}
    """
}

workflow {
    Channel.of(1..params.shards) | shard | collect | merge | view
}
