"""Training, whatever the task: the loop over epochs, optimizers, schedules and dropout."""
